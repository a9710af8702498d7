"""What tests say to an engine and hear from it."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil

from hearth_backend.engine.frames import Ended, Event, Piece
from hearth_shared.protocol.events import EventType


class Announced(list[tuple[EventType, Mapping[str, Any]]]):
    """Collects what an engine emits, and lets a test wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Condition()

    async def __call__(self, kind: EventType, data: Mapping[str, Any]) -> None:
        async with self._more:
            self.append((kind, data))
            self._more.notify_all()

    async def wait_for(self, kind: EventType) -> None:
        async with asyncio.timeout(60), self._more:
            await self._more.wait_for(lambda: kind in self.kinds)

    @property
    def kinds(self) -> list[EventType]:
        return [kind for kind, _ in self]


async def ended(pid: int) -> None:
    """Wait until a process of anybody's has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, over.set)
    try:
        await asyncio.wait_for(over.wait(), 60)
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def engine_children(of: int | None = None) -> list[int]:
    """The engine children of a process, this one by default."""
    children = psutil.Process(of).children(recursive=True)
    return [child.pid for child in children if "hearth_backend.engine.worker" in child.cmdline()]


def scripted(fail_above: int, way: str = "refuse") -> tuple[str, ...]:
    """How the scripted engine child is started."""
    return sys.executable, "-I", str(Path(__file__).with_name("scripted_engine.py")), str(fail_above), way


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
