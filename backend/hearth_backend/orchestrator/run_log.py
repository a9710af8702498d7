"""What happened in a task, as lines for a person, from its events. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import LogLine

TOLD: Final = frozenset(EventType) - {
    EventType.TEXT_DELTA,
    EventType.REASONING_DELTA,
    EventType.MEMORY_RECALLED,
    EventType.STEP_STARTED,
}
_LONGEST: Final = 300
Level = Literal["info", "warn", "error"]


def lines(events: Iterable[tuple[float, EventType, Mapping[str, Any]]]) -> list[LogLine]:
    """One line for each event that tells a person something."""
    found: list[LogLine] = []
    for at, kind, data in events:
        level, text = _line(kind, _Told(data))
        if text:
            found.append(LogLine(at=at, level=level, text=text[:_LONGEST]))
    return found


class _Told(dict[str, Any]):
    """An event's data; what an event of an older Hearth does not tell is empty."""

    def __missing__(self, key: str) -> str:
        return ""


def _line(kind: EventType, data: Mapping[str, Any]) -> tuple[Level, str]:
    match kind:
        case EventType.TASK_QUEUED if "again_in_s" in data:
            return "warn", f"{data['detail']} It is tried again in {data['again_in_s']:.0f} s."
        case EventType.TASK_FAILED:
            return "error", f"failed: {data['detail']} {data['fix']}".rstrip()
        case EventType.STEP_FINISHED:
            return _step(data)
        case EventType.TOOL_FINISHED if data["outcome"] != "ok":
            return "warn", f"{data['name']} failed: {data.get('problem') or data['outcome']}"
        case EventType.TEXT_RESET:
            return ("warn", "what was said is taken back; it begins again") if "attempt" in data else ("info", "")
        case EventType.MODEL_FALLBACK:
            return "warn", f"{data.get('from', 'the model')} did not answer: {data['reason']}"
        case EventType.APPROVAL_EXPIRED:
            return "warn", f"nobody decided over {data['id']}"
        case _:
            return "info", _quiet(kind, data)


def _step(data: Mapping[str, Any]) -> tuple[Level, str]:
    match data["state"]:
        case "done":
            return "info", f"step {data['seq']}: {data['name']}"
        case "unknown":
            return "warn", f"step {data['seq']}: Hearth stopped during {data['name']}, and asks whether it was done"
        case state:
            return "error", f"step {data['seq']}: {data['name']} {state}"


def _quiet(kind: EventType, data: Mapping[str, Any]) -> str:
    """Lines that tell how it goes on; nothing for what the others tell already."""
    match kind:
        case EventType.TASK_QUEUED:
            return f"queued in the lane {data['lane']}"
        case EventType.TASK_STARTED:
            return f"begun, attempt {data['attempt']}"
        case EventType.TASK_FINISHED:
            return "finished"
        case EventType.TASK_CANCELLED:
            return "stopped"
        case EventType.TOOL_CALLED:
            return f"{data['name']} is called"
        case EventType.APPROVAL_REQUESTED:
            return f"waits for your decision: {data['tool']} ({data['id']})"
        case EventType.APPROVAL_DECIDED:
            return f"decided: {data['decision']}, by {data['decided_by']}"
        case EventType.USAGE_RECORDED:
            return f"{data['model']} read {data['input']} tokens and wrote {data['output']}"
        case _:
            return ""
