"""What an approval card says: every text that comes from elsewhere with its hidden characters made visible. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hearth_shared.display import display, is_visible
from hearth_shared.wire import Approval

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_DOORS: Final = {
    "tray": "this app",
    "cli": "the terminal",
    "editor": "your editor",
    "browser": "your browser",
    "http": "a program with a token",
    "internal": "Hearth itself",
}
_DECISIONS: Final = {"accept": "accepted", "edit": "accepted with changes", "respond": "answered", "ignore": "ignored"}


class Field(NamedTuple):
    """One argument: its text is complete, and what hides in it is shown."""

    name: str
    text: str
    is_code: bool


class Quote(NamedTuple):
    """Because of what it is asked; `mark` says when nobody vouches for it."""

    text: str
    source: str
    mark: str


def who(approval: Approval) -> str:
    """Who asks."""
    door = _DOORS.get(approval["door"], approval["door"])
    return f"{display(approval['agent_id'], keep='')}, asked through {display(door, keep='')}"


def task(approval: Approval) -> str:
    """For which task; empty when for none."""
    return display(approval["run_id"] or "", keep="")


def tool(approval: Approval) -> str:
    """What it wants to do."""
    return display(approval["tool"], keep="")


def fields(args: Mapping[str, Any]) -> list[Field]:
    """What exactly, complete."""
    return [_field(name, value) for name, value in args.items()]


def hidden(approval: Approval) -> int:
    """How many characters of it nobody would see if they were not made visible."""
    texts = [approval["tool"], *_texts(approval["args"])]
    return sum(not is_visible(character) and character not in "\n\t" for text in texts for character in text)


def hidden_words(count: int) -> str:
    """The same in words; empty for none."""
    if not count:
        return ""
    characters, they = ("character", "It is") if count == 1 else ("characters", "They are")
    return f"{count} hidden {characters} in this. {they} shown as ⟦U+…⟧."


def quotes(approval: Approval) -> list[Quote]:
    """Because of what."""
    return [_quote(quote) for quote in approval["quotes"]]


def reach(approval: Approval) -> str:
    """What it can reach."""
    return "\n".join(display(place, keep="") for place in approval["reach"]) or "Nothing beyond Hearth."


def undo(approval: Approval) -> str:
    """What undo would do."""
    return display(approval["undo"]) or "This cannot be undone."


def why(approval: Approval) -> str:
    """Why it is asked; empty where that is not said."""
    return display(approval["why"], keep="")


def preview(approval: Approval) -> str:
    """What would change, as a diff; empty where that is not known."""
    return display(approval["preview"])


def expires(approval: Approval, now: float) -> str:
    """How long it waits."""
    return f"Ignored by itself {ahead(approval['expires_at'] - now)} if you leave it."


def outcome(approval: Approval, now: float) -> str:
    """How it was decided; empty while it waits."""
    if approval["status"] == "pending":
        return ""
    if approval["status"] == "expired":
        return "Nobody decided in time, so it was ignored."
    decision = _DECISIONS.get(approval["decision"] or "", approval["decision"] or "")
    by = display(approval["decided_by"] or "somebody", keep="")
    when = past(now - (approval["decided_at"] or now))
    return f"{decision.capitalize()} by {'you' if by == 'tray' else by} {when}."


def reply(approval: Approval) -> str:
    """What the person said or changed."""
    if approval["text"]:
        return display(approval["text"])
    return "" if approval["decided_args"] is None else editable(approval["decided_args"])


def title(approval: Approval) -> str:
    """One line of the inbox."""
    said = " ".join(text for value in approval["args"].values() for text in _texts(value) if text)
    return f"{tool(approval)}  {display(' '.join(said.split()), keep='')}"


def aloud(approval: Approval) -> str:
    """The card for somebody who hears it."""
    what = "; ".join(f"{field.name}: {field.text}" for field in fields(approval["args"])) or "no arguments"
    return f"{who(approval)} wants to {tool(approval)}: {what}. Reaches: {reach(approval)} Undo: {undo(approval)}"


def editable(args: Mapping[str, Any]) -> str:
    """Arguments as JSON to change: what hides is written as an escape, which JSON reads back as the same text."""
    return "".join(_escaped(character) for character in json.dumps(args, indent=2, ensure_ascii=False))


def edited(text: str) -> dict[str, Any]:
    """The arguments in a changed text. Raises ValueError saying what is wrong and where."""
    try:
        said: Any = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except json.JSONDecodeError as error:
        raise ValueError(f"Line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except RecursionError as error:
        raise ValueError("That is nested too deeply.") from error
    if not isinstance(said, dict):
        raise ValueError("Arguments are an object: they begin with { and end with }.")
    return said  # pyright: ignore[reportUnknownVariableType]


def ahead(seconds: float) -> str:
    """A time to come."""
    return "now" if seconds < _MINUTE else f"in {_span(seconds)}"


def past(seconds: float) -> str:
    """A time gone."""
    return "just now" if seconds < _MINUTE else f"{_span(seconds)} ago"


def _span(seconds: float) -> str:
    for size, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "min")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'s' if count > 1 and name != 'min' else ''}"
    return "a moment"


def _field(name: str, value: Any) -> Field:
    shown = display(name, keep="")
    if isinstance(value, str):
        return Field(shown, display(value), True)
    return Field(shown, display(json.dumps(value, indent=2, ensure_ascii=False)), not isinstance(value, bool | int))


def _quote(quote: Mapping[str, Any]) -> Quote:
    mark = "" if quote.get("trusted") is True else "from a page you opened"
    return Quote(display(str(quote.get("text", ""))), display(str(quote.get("source", "")), keep=""), mark)


def _texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for pair in value.items() for part in pair for text in _texts(part)]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        case list():
            return [text for part in value for text in _texts(part)]  # pyright: ignore[reportUnknownVariableType]
        case None:
            return []
        case _:
            return [str(value)]


def _escaped(character: str) -> str:
    if character == "\n" or is_visible(character):
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON.")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The last of two would count, and the person might look at the first."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} stands there twice.")
        found[name] = value
    return found
