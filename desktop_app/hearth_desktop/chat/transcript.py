"""The text of one answer, and the thinking before it, as its events build them up. Pure."""

from typing import Any

from hearth_shared.wire import Event, EventType


class Parts:
    """One stream of text: parts in order, each with its own offsets in code points. What comes twice is taken once."""

    def __init__(self) -> None:
        self._parts: dict[int, str] = {}

    @property
    def text(self) -> str:
        """All that counts so far."""
        return "".join(self._parts[part] for part in sorted(self._parts))

    def take(self, data: dict[str, Any]) -> str | None:
        """The new text at the very end; None when it is not there that something changed."""
        part, offset = int(data["part"]), int(data["offset"])
        before = self._parts.get(part, "")
        new = str(data["text"])[max(0, len(before) - offset) :]
        at_end = not self._parts or part >= max(self._parts)
        self._parts[part] = before + new
        return new if at_end else None

    def reset(self, part: int) -> bool:
        """A part begins again; whether anything of it was there."""
        return bool(self._parts.pop(part, ""))


class Transcript:
    """Takes the events of a run."""

    def __init__(self) -> None:
        self._answer = Parts()
        self._thinking = Parts()

    @property
    def text(self) -> str:
        """The answer so far."""
        return self._answer.text

    @property
    def reasoning(self) -> str:
        """What the model thought."""
        return self._thinking.text

    def take(self, event: Event) -> str | None:
        """New text of the answer, to be added at its end; None when the answer must be shown anew from `text`."""
        match event["type"]:
            case EventType.TEXT_DELTA:
                return self._answer.take(event["data"])
            case EventType.REASONING_DELTA:
                self._thinking.take(event["data"])
                return ""
            case EventType.TEXT_RESET:
                self._thinking.reset(int(event["data"]["part"]))
                return None if self._answer.reset(int(event["data"]["part"])) else ""
            case _:
                return ""
