"""What is said about threads, answers and sources, in Hearth's vocabulary. Pure."""

import time
from typing import Any, Final

from hearth_shared.display import display
from hearth_shared.wire import Event, EventType, MadeBy, Source, Thread, Tokens

_DOORS: Final = {
    "tray": "here",
    "cli": "terminal",
    "editor": "editor",
    "browser": "browser",
    "http": "a program",
    "internal": "Hearth",
}
_WHERE: Final = {
    "this machine": "This machine",
    "another machine": "Another machine of yours",
    "cloud": "Cloud",
    "no model": "No language model",
}
_TONES: Final = {"this machine": "ok", "another machine": "info", "cloud": "info", "no model": "muted"}
_DAY: Final = 86_400


def door(name: str) -> str:
    """Where a thread was begun."""
    return _DOORS.get(name, name)


def ago(at: float, now: float | None = None) -> str:
    """A time as a person says it."""
    seconds = (time.time() if now is None else now) - at
    if seconds < 45:
        return "just now"
    for size, unit in ((_DAY, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago" if seconds < 14 * _DAY else day(at)
    return "1 min ago"


def day(at: float) -> str:
    """A date."""
    local = time.localtime(at)
    return f"{local.tm_mday} {time.strftime('%b %Y', local)}"


def exactly(at: float) -> str:
    """A time to the minute, for whoever wants to know."""
    return f"{day(at)}, {time.strftime('%H:%M', time.localtime(at))}"


def one_line(text: str, length: int = 160) -> str:
    """A line of at most `length` characters, safe to show."""
    line = display(" ".join(text.split()), keep="")
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


def title(given: str) -> str:
    """What a thread is called."""
    return one_line(given, 120) or "New thread"


def about(thread: Thread | None) -> str:
    """Where and when a thread was begun."""
    if thread is None:
        return ""
    parts = [exactly(thread["created_at"])]
    if thread["door"] != "tray":
        parts.insert(0, f"begun in the {door(thread['door'])}" if thread["door"] != "http" else "begun by a program")
    if thread["local_only"]:
        parts.append("local only")
    return " · ".join(parts)


def made(by: MadeBy, tokens: Tokens | None) -> str:
    """Where an answer was made, by what, and what it cost."""
    if by["where"] == "no model":
        return "No language model · quoted from what Hearth knows"
    parts = [_WHERE.get(by["where"], by["where"])]
    if by["model"]:
        parts.append(f"{one_line(by['model'], 60)} (test model)" if by["test_model"] else one_line(by["model"], 60))
    if by["where"] == "cloud" and by["provider"]:
        parts.append(one_line(by["provider"], 40))
    if tokens is not None and tokens["input"] + tokens["output"]:
        parts.append(f"{tokens['input']:,} + {tokens['output']:,} tokens")
    if by["where"] == "cloud" and tokens is not None:
        parts.append("price not known" if tokens["cost"] is None else f"${tokens['cost']:.4f}")
    return " · ".join(parts)


def tone(by: MadeBy) -> str:
    """The colour of that label, by its name in the palette."""
    return _TONES.get(by["where"], "muted")


def source_title(source: Source) -> str:
    """What a source is called on its chip."""
    if source["url"]:
        return one_line(source["title"] or source["url"], 48)
    match source["kind"]:
        case "memory":
            who = speaker(source)
            return f"{who}, {day(source['occurred_at'])}" if source["occurred_at"] else who
        case "file":
            place = source["location"] or source["id"]
            return one_line(place.rpartition("/")[2] or source["title"], 40)
        case "docs":
            return one_line(source["title"].rpartition("›")[2] or source["title"], 40)
        case _:
            return one_line(source["title"] or source["location"], 48)


def speaker(source: Source) -> str:
    """Who said it; only what the person said through a door of their own is theirs."""
    name = source["speaker"]
    if name.lower() in ("", "me", "person"):
        return "You" if source["trusted"] else "Not your words"
    return one_line(name, 32)


def source_kind(source: Source) -> str:
    """What kind of thing it is."""
    if source["kind"] == "memory" and source["url"]:
        return "Memory of a page"
    names = {"memory": "Memory", "file": "File", "docs": "Hearth's documentation", "page": "Page"}
    return names.get(source["kind"], "Source")


def source_place(source: Source) -> str:
    """Where it is and when it was said."""
    parts = [source_kind(source)]
    if source["url"]:
        parts.append(one_line(source["url"], 120))
    elif source["kind"] in ("file", "page"):
        parts.append(one_line(source["location"] or source["id"], 120))
    if source["occurred_at"]:
        parts.append(exactly(source["occurred_at"]))
    return " · ".join(parts)


def doing(event: Event) -> str:
    """What a run is doing while no text comes; empty for events that do not tell."""
    data: dict[str, Any] = event["data"]
    match event["type"]:
        case EventType.TASK_QUEUED:
            return "Waiting its turn…"
        case EventType.TASK_STARTED:
            return "Thinking…"
        case EventType.MEMORY_RECALLED:
            return "Reading what it remembers…"
        case EventType.MODEL_LOADING:
            return f"Loading {one_line(str(data.get('model') or 'the model'), 60)}…"
        case EventType.MODEL_READY:
            return "Thinking…"
        case EventType.MODEL_FALLBACK if "from" in data:
            return f"{one_line(str(data['from']), 40)} did not answer; {one_line(str(data['to']), 40)} goes on…"
        case EventType.TOOL_CALLED:
            return f"Using {one_line(str(data.get('name') or 'a tool'), 40)}…"
        case EventType.TOOL_FINISHED:
            return "Thinking…"
        case EventType.APPROVAL_REQUESTED:
            return "Waiting for your decision: see what needs you."
        case _:
            return ""
