"""What the person sees while Hearth is set up: numbered stages, what each takes, how far it is."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO


class Stages:
    """Prints to `out`. On a terminal the present line is rewritten; elsewhere only finished things are printed."""

    def __init__(self, out: TextIO, count: int) -> None:
        self._out = out
        self._count = count
        self._at = 0
        self._rewrites = out.isatty()
        self._open = ""

    @contextmanager
    def stage(self, title: str) -> Generator[None]:
        """One stage, from its title to its time."""
        self._at += 1
        started = time.monotonic()
        self._show(f"[{self._at}/{self._count}] {title}")
        if not self._rewrites:
            self.say(self._open)
        yield
        self.say(f"{self._open}  done in {_spoken(time.monotonic() - started)}")
        self._open = ""

    def update(self, text: str) -> None:
        """How far the present stage is."""
        if self._rewrites:
            self._write(f"{self._open}  {text}")

    def say(self, text: str) -> None:
        """A line that stays."""
        self._write(text)
        self._out.write("\n")
        self._out.flush()

    def _show(self, text: str) -> None:
        self._open = text
        if self._rewrites:
            self._write(text)

    def _write(self, text: str) -> None:
        self._out.write(f"\r\x1b[K{text}" if self._rewrites else text)
        self._out.flush()


def _spoken(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
