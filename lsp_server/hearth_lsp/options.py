"""What a person may set in their editor. A value that cannot be used is said once, and the default holds."""

from dataclasses import dataclass
from typing import Any, Literal, cast

Answers = Literal["document", "client"]
_LONGEST_DEBOUNCE_MS = 2000


@dataclass(frozen=True, slots=True)
class Options:
    """`answers`: whether the server shows answers as documents, or the editor's own extension does."""

    completion: bool = True
    debounce_ms: int = 75
    hover: bool = True
    answers: Answers = "document"


def read(given: object, before: Options | None = None) -> tuple[Options, list[str]]:
    """The options that `given` names, else those of before; and what could not be used.

    `given` is what an editor sends: {"completion": {"enabled": true, "debounceMs": 75}, "hover": {"enabled": true},
    "answers": "document"}, also below "hearth".
    """
    base = before or Options()
    settings = _part(_object(given), "hearth") or _object(given)
    wrong: list[str] = []
    completion, hover = _part(settings, "completion"), _part(settings, "hover")
    options = Options(
        completion=_flag(completion, "completion.enabled", base.completion, wrong),
        debounce_ms=_number(completion, "completion.debounceMs", base.debounce_ms, wrong),
        hover=_flag(hover, "hover.enabled", base.hover, wrong),
        answers=_answers(settings, base.answers, wrong),
    )
    return options, wrong


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _part(settings: dict[str, Any], name: str) -> dict[str, Any]:
    return _object(settings.get(name))


def _flag(part: dict[str, Any], name: str, default: bool, wrong: list[str]) -> bool:
    value = part.get(name.rpartition(".")[2], default)
    if isinstance(value, bool):
        return value
    wrong.append(f"`{name}` must be true or false")
    return default


def _number(part: dict[str, Any], name: str, default: int, wrong: list[str]) -> int:
    value = part.get(name.rpartition(".")[2], default)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LONGEST_DEBOUNCE_MS:
        return int(value)
    wrong.append(f"`{name}` must be a number of milliseconds from 0 to {_LONGEST_DEBOUNCE_MS}")
    return default


def _answers(settings: dict[str, Any], default: Answers, wrong: list[str]) -> Answers:
    value = settings.get("answers", default)
    if value in ("document", "client"):
        return value
    wrong.append('`answers` must be "document" or "client"')
    return default
