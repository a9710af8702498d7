"""Engines of several models share one processor: while one completes what is being typed, the others hold."""

import contextlib
from collections import Counter
from collections.abc import Generator
from typing import Protocol


class Holding(Protocol):
    """An engine that can be told to wait with all but what is typed."""

    def hold(self, on: bool) -> None: ...


class HoldBroker:
    """Knows which engines are at work for the keyboard."""

    def __init__(self) -> None:
        self._engines: list[Holding] = []
        self._typing: Counter[int] = Counter()
        self._held: set[int] = set()

    def add(self, engine: Holding) -> None:
        """An engine that holds from now on while another is typed for."""
        self._engines.append(engine)
        self._tell()

    def remove(self, engine: Holding) -> None:
        """It is gone."""
        self._engines.remove(engine)
        self._held.discard(id(engine))

    @contextlib.contextmanager
    def typing(self, engine: Holding) -> Generator[None]:
        """While an engine works for the keyboard."""
        self._typing[id(engine)] += 1
        self._tell()
        try:
            yield
        finally:
            self._typing[id(engine)] -= 1
            self._typing += Counter()  # drops what has come to nothing
            self._tell()

    def _tell(self) -> None:
        for engine in self._engines:
            on = any(key != id(engine) for key in self._typing)
            if on != (id(engine) in self._held):
                (self._held.add if on else self._held.discard)(id(engine))
                engine.hold(on)
