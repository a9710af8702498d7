"""A profile as a person writes it: one TOML file, whose faults are told with their line. Pure."""

import re
import tomllib
from collections.abc import Sequence
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hearth_shared.errors import SettingsError
from hearth_shared.protocol.tasks import Budget

_LINE: Final = re.compile(r"line (\d+)")
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
LARGEST: Final = 65_536


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class ChosenModels(_Part):
    """Which models it speaks with."""

    chat: str = Field(default="auto", min_length=1, max_length=200)


class Routes(_Part):
    """Which requests are for it when they name no agent: some of these words in them, or like these examples."""

    words: tuple[str, ...] = Field(default=(), max_length=100)
    examples: tuple[str, ...] = Field(default=(), max_length=50)


class ProfileFile(_Part):
    """What may stand in a profile."""

    title: str = Field(min_length=1, max_length=80)
    description: str = Field(min_length=1, max_length=400)
    instructions: str = Field(min_length=1, max_length=20_000)
    tools: tuple[str, ...] = Field(default=(), max_length=64)
    unasked: tuple[str, ...] = Field(default=(), max_length=64)
    budget: Budget = Budget()
    models: ChosenModels = ChosenModels()
    route: Routes = Routes()

    @model_validator(mode="after")
    def _only_what_it_may_use(self) -> Self:
        more = [tool for tool in self.unasked if tool not in self.tools]
        if more:
            raise ValueError(f"`unasked` names {more[0]}, which is not among its `tools`")
        return self


def parse(text: str, name: str) -> ProfileFile:
    """The profile in this text; `name` is what the file is called. Raises SettingsError that names the line."""
    try:
        return ProfileFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise _wrong(name, line, f"it is no TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise _wrong(name, line_of(text, first["loc"]), f"`{where}`: {said}" if where else said) from error


def line_of(text: str, place: Sequence[Any]) -> int:
    """The line on which a key stands, from 1; that of its table when it has none, else the first."""
    keys = [str(part) for part in place if isinstance(part, str)]
    if not keys:
        return _line_matching(text, r"unasked\s*=") or 1
    *tables, key = keys
    start = _line_matching(text, rf"\[{re.escape('.'.join(tables))}\]") if tables else 0
    own = _line_matching(text, rf"{re.escape(key)}\s*=", start or 0)
    return own or _line_matching(text, rf"\[{re.escape('.'.join(keys))}\]") or start or 1


def _line_matching(text: str, pattern: str, after: int = 0) -> int | None:
    expected = re.compile(rf"^\s*{pattern}")
    lines = enumerate(text.splitlines()[after:], after + 1)
    return next((number for number, line in lines if expected.match(line)), None)


def _wrong(name: str, line: int, why: str) -> SettingsError:
    return SettingsError(f"{name}, line {line}: {why}.", f"Correct it in profiles/{name}.", line=line)
