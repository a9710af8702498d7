"""Changes options in config.toml and leaves everything else in it as the person wrote it.

The standard library reads TOML and does not write it. Each change touches one line; the result must then read as
exactly what was wanted, so a file too clever for this is refused, never damaged.
"""

import copy
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from hearth_shared.errors import SettingsError
from hearth_shared.settings import Settings, read, validated

_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
_SIMPLE = r"""("(?:[^"\\]|\\.)*"|'[^']*'|[^#"'\[{]*?)"""


def change(path: Path, values: Mapping[str, Any]) -> Settings:
    """Set dotted options, such as `models.chat`, in the file at `path`: all of them or, with an error, none.

    A value may be text as a person types it. Raises SettingsError when an option is unknown or cannot be that value.
    """
    wanted = copy.deepcopy(read(path))
    for option, value in values.items():
        _table_of(wanted, option)[option.rpartition(".")[2]] = value
    settings = validated(wanted, path)
    text = path.read_text("utf-8") if path.exists() else ""
    for option in values:
        value = _value_of(settings, option)
        _table_of(wanted, option)[option.rpartition(".")[2]] = value
        text = _with_option(text, option, value)
    if not _reads_as(text, wanted):
        raise SettingsError(
            f"{path} is written in a way that cannot be changed from here.", "Change the option in an editor."
        )
    _write(path, text)
    return settings


def _table_of(values: dict[str, Any], option: str) -> dict[str, Any]:
    if not _NAME.fullmatch(option):
        raise SettingsError(f"There is no option `{option}`.", "`hearth config docs` lists them all.")
    table = values
    for part in option.split(".")[:-1]:
        inner: Any = table.setdefault(part, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"There is no option `{option}`.", "`hearth config docs` lists them all.")
        table = cast("dict[str, Any]", inner)
    return table


def _value_of(settings: Settings, option: str) -> Any:
    value: Any = settings.model_dump()
    for part in option.split("."):
        value = value[part]
    if isinstance(value, dict):
        raise SettingsError(f"`{option}` is a section, not an option.", "`hearth config docs` lists the options.")
    return value


def _with_option(text: str, option: str, value: Any) -> str:
    table, _, name = option.rpartition(".")
    lines = text.split("\n")
    header = re.compile(rf"\s*\[\s*{re.escape(table)}\s*\]\s*(#.*)?")
    start = next((n + 1 for n, line in enumerate(lines) if header.fullmatch(line)), None)
    if start is None:
        ground = text.rstrip("\n")
        return f"{ground}\n\n[{table}]\n{name} = {_toml(value)}\n".lstrip("\n")
    end = next((n for n in range(start, len(lines)) if lines[n].lstrip().startswith("[")), len(lines))
    _put(lines, start, end, name, value)
    return "\n".join(lines)


def _put(lines: list[str], start: int, end: int, name: str, value: Any) -> None:
    entry = re.compile(rf"(\s*{re.escape(name)}\s*=\s*){_SIMPLE}(\s*(?:#.*)?)")
    for number in range(start, end):
        if match := entry.fullmatch(lines[number]):
            lines[number] = f"{match[1]}{_toml(value)}{match[3]}"
            return
    last = max((n + 1 for n in range(start, end) if lines[n].strip()), default=start)
    lines.insert(last, f"{name} = {_toml(value)}")


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)  # JSON's escapes are TOML's
        case _:
            return repr(value)


def _reads_as(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}.", "Make it writable.") from error
    finally:
        draft.unlink(missing_ok=True)
