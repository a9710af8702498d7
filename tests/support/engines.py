"""What tests say to an engine and hear from it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from hearth_backend.engine.frames import Ended, Event, Piece
from hearth_shared.protocol.events import EventType


class Announced(list[tuple[EventType, Mapping[str, Any]]]):
    """Collects what an engine emits."""

    async def __call__(self, kind: EventType, data: Mapping[str, Any]) -> None:
        self.append((kind, data))

    @property
    def kinds(self) -> list[EventType]:
        return [kind for kind, _ in self]


def user(text: str) -> list[dict[str, Any]]:
    """A conversation of one message."""
    return [{"role": "user", "content": text}]


async def heard(events: AsyncGenerator[Event, None]) -> list[Event]:
    """All events of an answer."""
    async with aclosing(events) as stream:
        return [event async for event in stream]


async def begun(events: AsyncGenerator[Event, None]) -> None:
    """Read on until there is text."""
    async for event in events:
        if isinstance(event, Piece):
            return


def text_of(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Piece))


def end_of(events: Sequence[Event]) -> Ended:
    """The end of a whole answer."""
    assert isinstance(events[-1], Ended)
    return events[-1]
