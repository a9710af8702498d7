"""What the engine has said and not yet sent."""

import time
from collections.abc import Callable

from hearth_backend.engine.frames import Answer, Event, Failed, Forgotten, Piece

_FRAME_S = 1 / 60


class Outbox:
    """Answers on their way to the backend; belongs to the engine thread.

    Every message costs both processes a waking, which is as much as writing several tokens of a small model. So text
    that comes faster than screens show it goes out together. The first text after a pause goes at once, and nothing
    is kept while the engine waits or does what may take long.
    """

    def __init__(self, send: Callable[..., object], *, clock: Callable[[], float] = time.monotonic) -> None:
        """`send` takes any number of answers, to go out as one message."""
        self._send = send
        self._clock = clock
        self._kept: list[Answer] = []
        self._only_text = True
        self._sent = -_FRAME_S

    def put(self, id: int, event: Event | Failed | Forgotten) -> None:
        """An event of the answer to task `id`."""
        self._kept.append(Answer(id, event))
        if not isinstance(event, Piece):
            self._only_text = False

    def flush(self, goes_on: bool) -> None:
        """Send what was said; `goes_on`: more text follows at once, so this may be kept for a moment."""
        if not self._kept:
            return
        now = self._clock()
        if goes_on and self._only_text and now - self._sent < _FRAME_S:
            return
        self._send(*self._kept)
        self._kept.clear()
        self._sent, self._only_text = now, True
