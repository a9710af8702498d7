"""How much one browser may ask for, so that a page gone wild costs the person nothing."""

from collections.abc import Callable
from typing import Final

FRAME_BYTES: Final = (1 << 20) + (64 << 10)
"""The backend takes bodies of 1 MiB; around one stands a frame."""
CONNECTIONS: Final = 32
CALLS_AT_ONCE: Final = 16
STREAMS_AT_ONCE: Final = 8
WRITE_BYTES: Final = 256 << 10
"""What may lie unread in a browser's socket before its streams are read no further."""
FRAMES_A_SECOND: Final = 50.0
FRAMES_AT_ONCE: Final = 200.0
KNOCKS_A_SECOND: Final = 10.0
KNOCKS_AT_ONCE: Final = 40.0


class Bucket:
    """Fills at `rate` a second up to `most`; each take needs one. Costs nothing while nobody takes."""

    def __init__(self, rate: float, most: float, now: Callable[[], float]) -> None:
        self._rate = rate
        self._most = most
        self._now = now
        self._left = most
        self._at = now()

    def take(self) -> bool:
        """Whether there was one."""
        now = self._now()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
