"""The text of one answer as its events build it up."""

from hearth_shared.wire import Answer, Event, EventType


class Transcript:
    """Takes events, tells what is new. Text that comes twice is taken once: `offset` counts code points of a part."""

    def __init__(self) -> None:
        self._parts: dict[int, str] = {}

    @property
    def text(self) -> str:
        """All that counts so far."""
        return "".join(self._parts[part] for part in sorted(self._parts))

    def take(self, event: Event) -> bool:
        """Whether the text is another one now."""
        data = event["data"]
        if event["type"] == EventType.TEXT_RESET:
            return bool(self._parts.pop(data["part"], ""))
        if event["type"] != EventType.TEXT_DELTA:
            return False
        before = self._parts.get(data["part"], "")
        self._parts[data["part"]] = before + data["text"][max(0, len(before) - data["offset"]) :]
        return len(self._parts[data["part"]]) > len(before)


def doing(event: Event) -> str:
    """What an event says is being done, for a person who waits; empty when it says nothing of that kind."""
    match event["type"]:
        case EventType.TASK_QUEUED | EventType.TASK_STARTED:
            return "thinking"
        case EventType.MEMORY_RECALLED:
            return "reading what is remembered"
        case EventType.MODEL_LOADING:
            return f"loading {event['data'].get('model', 'the model')}"
        case EventType.TOOL_CALLED:
            return f"using {event['data'].get('name', 'a tool')}"
        case EventType.TEXT_DELTA:
            return "answering"
        case _:
            return ""


def made_by(answer: Answer) -> str:
    """Where an answer was made, and by what."""
    by = answer["made_by"]
    if by["where"] == "no model":
        return "no language model connected"
    return f"{by['where']} · {by['model']}{' (test model)' if by['test_model'] else ''}"
