"""The options in `/v1/settings` as values that a dialog can be made from. Pure."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple, cast

from hearth_shared.wire import SettingsView

_UNITS: Final = {"_s": "seconds", "_days": "days", "_tokens": "tokens"}
_ACRONYMS: Final = {"gpu": "GPU", "url": "URL", "otlp": "OpenTelemetry"}
_TITLES: Final = {"server": "Ways in", "observe": "What is noted", "runs": "Tasks", "bridge": "Browsers"}
_NAMED: Final = "providers"
_ORDER: Final = ("models", "providers", "engine", "memory", "runs", "bridge", "server", "observe")
_OPTION: Final = re.compile(r"`([a-z0-9_-]+(?:\.[a-z0-9_-]+)+)`")


class Kind(Enum):
    """How a value is entered."""

    SWITCH = "switch"
    CHOICE = "choice"
    WHOLE = "whole number"
    NUMBER = "number"
    TEXT = "text"


class Option(NamedTuple):
    """One option: what it may be, what it is."""

    name: str
    title: str
    help: str
    kind: Kind
    value: Any
    default: Any = None
    has_default: bool = True
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    above: float | None = None
    may_be_empty: bool = False
    locked_by: str = ""
    """The variable of the environment that holds it, so that a change here would do nothing."""

    @property
    def is_changed(self) -> bool:
        """Whether it is not as it comes."""
        return self.has_default and self.value != self.default


class Section(NamedTuple):
    """Options that belong together."""

    name: str
    title: str
    help: str
    options: tuple[Option, ...]


def sections(view: SettingsView, environ: Iterable[str]) -> list[Section]:
    """All of them; what people look for comes first, a section of a newer Hearth last."""
    locks = {variable.removeprefix("HEARTH_").lower().replace("__", "."): variable for variable in _variables(environ)}
    schema = view["json_schema"]
    found: list[Section] = []
    for name, about in _fields(schema):
        if name == _NAMED:
            found += _named(schema, about, view["values"], locks)
        else:
            found.append(_section(schema, name, about, view["values"], locks))
    found = [section for section in found if section.options]
    return sorted(found, key=_place)


def parsed(option: Option, text: str) -> Any:
    """What a person typed, as a value. Raises ValueError saying what it may be."""
    text = text.strip()
    if option.kind is Kind.TEXT:
        return text
    if not text and option.may_be_empty:
        return None
    number = _whole(text) if option.kind is Kind.WHOLE else _number(text)
    return _within(option, number)


def shown(value: Any) -> str:
    """A value as a person reads and types it."""
    match value:
        case None:
            return ""
        case bool():
            return "on" if value else "off"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def matches(option: Option, words: str) -> bool:
    """Whether somebody who looks for these words means this option."""
    place = f"{option.name} {option.title} {option.help}".lower()
    return all(word in place for word in words.lower().split())


def named_in(detail: str) -> str:
    """The option that an error speaks of; empty for none."""
    found = _OPTION.search(detail)
    return found[1] if found else ""


def titled(name: str) -> str:
    """An option's name in words, with its unit."""
    unit = next((word for suffix, word in _UNITS.items() if name.endswith(suffix) and name != suffix[1:]), "")
    plain = name.removesuffix("_s") if unit == "seconds" else name
    words = [_ACRONYMS.get(word, word) for word in plain.split("_")]
    text = " ".join(words)
    in_words = text[:1].upper() + text[1:]
    return f"{in_words} ({unit})" if unit == "seconds" else in_words


def _place(section: Section) -> int:
    name = section.name.partition(".")[0]
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _variables(environ: Iterable[str]) -> Iterator[str]:
    return (name for name in environ if name.startswith("HEARTH_") and "__" in name)


def _section(
    schema: Mapping[str, Any], name: str, about: Mapping[str, Any], values: Mapping[str, Any], locks: Mapping[str, str]
) -> Section:
    declared = _resolved(schema, about)
    options = tuple(_option(schema, f"{name}.{key}", field, values, locks) for key, field in _fields(declared))
    return Section(name, _TITLES.get(name, titled(name)), str(declared.get("description", "")), options)


def _named(
    schema: Mapping[str, Any], about: Mapping[str, Any], values: Mapping[str, Any], locks: Mapping[str, str]
) -> list[Section]:
    """One section for each server that the person named."""
    inner = _resolved(schema, cast("Mapping[str, Any]", about.get("additionalProperties") or {}))
    names = sorted({option.split(".")[1] for option in values if option.startswith(f"{_NAMED}.")})
    return [_section(schema, f"{_NAMED}.{name}", inner, values, locks)._replace(title=name) for name in names]


def _option(
    schema: Mapping[str, Any], name: str, field: Mapping[str, Any], values: Mapping[str, Any], locks: Mapping[str, str]
) -> Option:
    declared, may_be_empty = _without_null(_resolved(schema, field))
    choices = tuple(str(choice) for choice in declared.get("enum", ()))
    return Option(
        name=name,
        title=titled(name.rpartition(".")[2]),
        help=str(field.get("description", "")),
        kind=_kind(declared, choices),
        value=values.get(name, field.get("default")),
        default=field.get("default"),
        has_default="default" in field,
        choices=choices,
        least=declared.get("minimum"),
        most=declared.get("maximum"),
        above=declared.get("exclusiveMinimum"),
        may_be_empty=may_be_empty,
        locked_by=locks.get(name, ""),
    )


def _kind(declared: Mapping[str, Any], choices: tuple[str, ...]) -> Kind:
    kinds = {"boolean": Kind.SWITCH, "integer": Kind.WHOLE, "number": Kind.NUMBER}
    return Kind.CHOICE if choices else kinds.get(str(declared.get("type")), Kind.TEXT)


def _fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    properties: Any = schema.get("properties") or {}
    yield from cast("Mapping[str, Mapping[str, Any]]", properties).items()


def _resolved(schema: Mapping[str, Any], field: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference points at."""
    reference = str(field.get("$ref", ""))
    definitions = cast("Mapping[str, Mapping[str, Any]]", schema.get("$defs", {}))
    return definitions.get(reference.rpartition("/")[2], field) if reference else field


def _without_null(field: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    either = cast("list[Mapping[str, Any]]", field.get("anyOf", []))
    real = [kind for kind in either if kind.get("type") != "null"]
    return (real[0], True) if real and len(real) < len(either) else (field, False)


def _whole(text: str) -> int:
    try:
        return int(text.replace(",", "").replace(" ", ""))
    except ValueError as error:
        raise ValueError("A whole number is needed.") from error


def _number(text: str) -> float:
    try:
        number = float(text.replace(" ", ""))
    except ValueError as error:
        raise ValueError("A number is needed, such as 0.5.") from error
    if not math.isfinite(number):
        raise ValueError("A number is needed, such as 0.5.")
    return number


def _within(option: Option, number: float) -> float:
    if option.least is not None and number < option.least:
        raise ValueError(f"At least {option.least:,}.")
    if option.above is not None and number <= option.above:
        raise ValueError(f"More than {option.above:,}.")
    if option.most is not None and number > option.most:
        raise ValueError(f"At most {option.most:,}.")
    return number


def as_default(option: Option) -> str:
    """The default for the button that brings it back."""
    return json.dumps(option.default) if option.default == "" else shown(option.default) or "nothing"
