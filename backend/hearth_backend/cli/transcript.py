"""The text of one answer as its events build it up."""

from hearth_shared.wire import Answer, Event, EventType


class Transcript:
    """Takes events, tells what is new. Text that comes twice is taken once: `offset` counts code points of a part.

    `begins_again`: what was shown does not count any more, and nothing has come in its place yet.
    """

    def __init__(self) -> None:
        self._parts: dict[int, str] = {}
        self.begins_again = False

    @property
    def text(self) -> str:
        """All that counts so far."""
        return "".join(self._parts[part] for part in sorted(self._parts))

    def take(self, event: Event) -> str:
        """The new text of an event; empty when there is none."""
        data = event["data"]
        if event["type"] == EventType.TEXT_RESET:
            self.begins_again = bool(self._parts.pop(data["part"], "")) or self.begins_again
        if event["type"] != EventType.TEXT_DELTA:
            return ""
        before = self._parts.get(data["part"], "")
        new = data["text"][max(0, len(before) - data["offset"]) :]
        self._parts[data["part"]] = before + new
        self.begins_again = False
        return new

    def rest(self, answer: Answer) -> str:
        """What of the whole answer was not seen yet; all of it, when what was seen is something else."""
        seen, whole = self.text, answer["text"]
        if whole.strip() in seen:
            return ""
        return whole.removeprefix(seen)
