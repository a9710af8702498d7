"""Keeps one model answering: starts its child when it is needed, and again when it died.

A task that has shown nothing yet is given to the next child, once; one that has is ended with EngineCrashed. A file
whose child dies twice while loading is bad until it changes. With a GPU, a failed load tries fewer layers on it.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from hearth_backend.engine.child import ARGV, Child
from hearth_backend.engine.files import ModelFile
from hearth_backend.engine.frames import (
    Answer,
    Ask,
    Cancel,
    Ended,
    Event,
    Failed,
    Hello,
    Lane,
    Load,
    Message,
    Piece,
    Ready,
    Refused,
    Started,
    Task,
    Text,
    Tokens,
)
from hearth_backend.engine.offload import rungs
from hearth_shared.errors import (
    BadModelFile,
    Cancelled,
    EngineCrashed,
    HearthError,
    ModelFailed,
    ModelUnavailable,
    Overloaded,
    every_error,
)
from hearth_shared.protocol.events import EventType

log = logging.getLogger(__name__)

Emit = Callable[[EventType, Mapping[str, Any]], Awaitable[None]]
Said = Event | Tokens | Text
_MOST_WAITING = 256
_ATTEMPTS = 2
_ERRORS = {kind.code: kind for kind in every_error()}


class _Call:
    """One task and the events of its answer."""

    def __init__(self, id: int, lane: Lane, task: Task) -> None:
        self.ask = Ask(id, lane, task)
        self.events: asyncio.Queue[Said | HearthError] = asyncio.Queue()
        self.begun = False
        self.shown = False
        self.replayed = False

    def put(self, event: Said) -> None:
        if isinstance(event, Started):
            if self.begun:  # a replay begins again, and that is nobody's business
                return
            self.begun = True
        self.shown = self.shown or isinstance(event, Piece)
        self.events.put_nowait(event)


class _Loading:
    """What a child says until its model is ready."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.hello: asyncio.Future[Hello | Refused | None] = loop.create_future()
        self.ready: asyncio.Future[Ready | Refused | None] = loop.create_future()

    def hear(self, message: Hello | Ready | Refused | None) -> None:
        """None: the child died."""
        for future, kinds in ((self.hello, Hello), (self.ready, Ready)):
            if not future.done() and not isinstance(message, Hello | Ready) or isinstance(message, kinds):
                future.set_result(message)  # pyright: ignore[reportArgumentType]
