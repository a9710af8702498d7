"""What the person sees while Hearth is set up: numbered stages, what each takes, how far it is."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TextIO

_QUIET_S = 10.0


class Stages:
    """Prints to `out`. On a terminal the present line is rewritten; elsewhere a line every ten seconds has to do."""

    def __init__(self, out: TextIO, count: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._count = count
        self._clock = clock
        self._at = 0
        self._rewrites = out.isatty()
        self._title = ""
        self._detail = ""
        self._said_at = 0.0

    @contextmanager
    def stage(self, title: str) -> Generator[None]:
        """One stage, from its title to its time."""
        self._at += 1
        self._title, self._detail = f"[{self._at}/{self._count}] {title}", ""
        self._said_at = started = self._clock()
        self._write(self._title if self._rewrites else f"{self._title}\n")
        yield
        done = f"done in {spoken(self._clock() - started)}"
        self.say(self._line(f"{self._detail}, {done}" if self._detail else done))

    def update(self, text: str) -> None:
        """How far the present stage is."""
        if self._rewrites:
            self._write(self._line(text))
        elif self._clock() - self._said_at >= _QUIET_S:
            self._said_at = self._clock()
            self.say(self._line(text))

    def note(self, text: str) -> None:
        """What the present stage says when it is done."""
        self._detail = text

    def say(self, text: str) -> None:
        """A line that stays."""
        self._write(f"{text}\n")

    def _line(self, text: str) -> str:
        return f"{self._title}: {text}" if self._rewrites else f"      {text}"

    def _write(self, text: str) -> None:
        self._out.write(f"\r\x1b[K{text}" if self._rewrites else text)
        self._out.flush()


def spoken(seconds: float) -> str:
    """`4 s`, `3 min 20 s`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
