"""Joins pieces of text to frames, so that a fast model does not cost a commit and a message per token."""

from dataclasses import dataclass
from typing import Final, Literal

from hearth_shared.protocol.events import EventType

FRAME_S: Final = 0.04
Stream = Literal[EventType.TEXT_DELTA, EventType.REASONING_DELTA]


@dataclass(frozen=True, slots=True)
class Frame:
    """Text of one stream and part; `offset` counts the code points of the part before it."""

    stream: Stream
    part: int
    offset: int
    text: str


class Frames:
    """Collects pieces. The first of each part is due at once, more of it 40 ms after the frame before."""

    def __init__(self, interval: float = FRAME_S) -> None:
        self._interval = interval
        self._taken_at = float("-inf")
        self._pending: list[tuple[Stream, int, list[str]]] = []
        self._offsets: dict[tuple[Stream, int], int] = {}

    def add(self, stream: Stream, part: int, text: str) -> None:
        """One more piece."""
        if not text:
            return
        if self._pending and self._pending[-1][:2] == (stream, part):
            self._pending[-1][2].append(text)
        else:
            self._pending.append((stream, part, [text]))

    def due_in(self, now: float) -> float | None:
        """Seconds until the next frame is due; None while there is nothing to send."""
        if not self._pending:
            return None
        if any((stream, part) not in self._offsets for stream, part, _ in self._pending):
            return 0.0
        return max(0.0, self._taken_at + self._interval - now)

    def take(self, now: float) -> list[Frame]:
        """Everything collected, in order."""
        frames = [self._frame(stream, part, "".join(pieces)) for stream, part, pieces in self._pending]
        if frames:
            self._taken_at = now
            self._pending.clear()
        return frames

    def reset(self, part: int) -> None:
        """Forget a part: what is collected of it is dropped, and it begins again at offset 0."""
        self._pending = [piece for piece in self._pending if piece[1] != part]
        self._offsets = {key: offset for key, offset in self._offsets.items() if key[1] != part}

    def _frame(self, stream: Stream, part: int, text: str) -> Frame:
        offset = self._offsets.get((stream, part), 0)
        self._offsets[stream, part] = offset + len(text)
        return Frame(stream, part, offset, text)
