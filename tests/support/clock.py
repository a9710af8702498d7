"""A clock that moves when it is told to."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Seconds; call it to read it."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
