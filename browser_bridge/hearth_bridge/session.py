"""One paired browser's connection: reads its frames, asks the backend, sends what it says.

Each call and each stream has an owner here, who ends it. A stream is read no further while the browser does not take
what was sent. As long as the connection lives, one stream of the backend's is open for it, the browser's own or a
silent one: the backend ends that stream in the moment the token is revoked, and so the connection ends.
"""

import asyncio
from collections.abc import AsyncIterable
from time import monotonic
from typing import Final, Protocol

from hearth_bridge import frames, limits
from hearth_bridge.backend import Backend
from hearth_bridge.frames import Call, Follow, Pair, Ping, Stop
from hearth_bridge.knock import Visitor
from hearth_bridge.limits import Bucket
from hearth_bridge.routes import LIVE
from hearth_shared.errors import BadRequest, HearthError, Overloaded, RateLimited, Unauthorized

NOT_A_FRAME: Final = 4400
TOKEN_ENDED: Final = 4401
_AGAIN_S: Final = 0.2
_SILENT_STRIDE_MS: Final = 1000  # nobody reads along: only its end counts


class Ended(Exception):
    """The connection is to be closed, with this code."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


class Outlet(Protocol):
    """Where frames go."""

    async def send(self, text: str) -> None:
        """One frame, at the browser's pace."""
        ...

    def push(self, text: str) -> None:
        """One frame, now; `is_full` tells when to stop."""
        ...

    def is_full(self) -> bool:
        """Whether the browser has more to read than it should."""
        ...

    async def drained(self) -> None:
        """The browser has read everything."""
        ...


class _Passing:
    """Hands a stream's events on."""

    def __init__(self, id: int, outlet: Outlet) -> None:
        self._id = id
        self._push = outlet.push
        self.is_full = outlet.is_full
        self.drained = outlet.drained

    def take(self, events: list[str]) -> None:
        self._push(frames.told(self._id, events))


class _Nobody:
    """Hears a stream that is open for its end alone."""

    def take(self, events: list[str]) -> None: ...

    def is_full(self) -> bool:
        return False

    async def drained(self) -> None: ...


class Session:
    """One connection of a browser that showed a token."""

    def __init__(self, backend: Backend, who: Visitor, outlet: Outlet) -> None:
        self._backend = backend
        self._who = who
        self._outlet = outlet
        self._send = outlet.send
        self._rate = Bucket(limits.FRAMES_A_SECOND, limits.FRAMES_AT_ONCE, monotonic)
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._streams: dict[int, asyncio.Task[None]] = {}
        self._live: set[int] = set()
        self._silent: asyncio.Task[None] | None = None

    async def run(self, incoming: AsyncIterable[str | bytes]) -> None:
        """Serve until the browser goes. Raises Ended when the connection is to be closed from here."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._listen_silently(tasks)
                async for text in incoming:
                    await self._take(text, tasks)
                self._drop_all()
        except BaseExceptionGroup as group:  # not except*: until 3.11.4 what is raised in it stays in a group
            ended, rest = group.split(Ended)
            if ended is None or rest is not None:
                raise
            raise _first(ended) from None

    async def _take(self, text: str | bytes, tasks: asyncio.TaskGroup) -> None:
        try:
            frame = frames.read(text)
        except frames.NotAFrame as error:
            raise Ended(NOT_A_FRAME, f"not a frame of hearth.v1: {error}") from error
        except frames.Refused as refused:
            return await self._send(frames.problem(refused.id, refused.error))
        match frame:
            case Ping(number):
                await self._send(frames.pong(number))
            case Stop(id):
                if (stream := self._streams.get(id)) is not None:
                    stream.cancel()
                    self._release(id, tasks)
            case Pair():
                raise Ended(NOT_A_FRAME, "already paired")
            case Call() | Follow():
                if (refusal := self._refusal(frame)) is not None:
                    return await self._send(frames.problem(frame.id, refusal))
                self._begin(frame, tasks)

    def _refusal(self, frame: Call | Follow) -> HearthError | None:
        if not self._rate.take():
            return RateLimited("This browser asks too fast.", "Wait a second.", retry_after=1)
        if frame.id in self._calls or frame.id in self._streams:
            return BadRequest("This id is in use.", "Use each id once.")
        if isinstance(frame, Call) and len(self._calls) >= limits.CALLS_AT_ONCE:
            return Overloaded("This browser has too many questions open.", "Wait for an answer.", retry_after=1)
        if isinstance(frame, Follow) and len(self._streams) >= limits.STREAMS_AT_ONCE:
            return Overloaded("This browser follows too many streams.", "Stop one of them.", retry_after=1)
        return None

    def _begin(self, frame: Call | Follow, tasks: asyncio.TaskGroup) -> None:
        if isinstance(frame, Call):
            self._calls[frame.id] = tasks.create_task(self._call(frame))
            return
        if frame.path == LIVE:
            self._live.add(frame.id)
            if self._silent is not None:
                self._silent.cancel()
        self._streams[frame.id] = tasks.create_task(self._follow(frame, tasks))

    async def _call(self, call: Call) -> None:
        try:
            said = await self._backend.ask(self._who, call.method, call.path, call.body, call.key)
            if said.status == Unauthorized.status:
                raise Ended(TOKEN_ENDED, "this browser is no longer paired")
            text = frames.answered(call.id, said.status, said.body)
        except HearthError as error:
            text = frames.problem(call.id, error)
        del self._calls[call.id]
        await self._send(text)

    async def _follow(self, follow: Follow, tasks: asyncio.TaskGroup) -> None:
        try:
            passing = _Passing(follow.id, self._outlet)
            await self._backend.follow(self._who, follow.path, follow.after_seq, passing)
            text = frames.ended(follow.id)
        except Unauthorized as error:
            raise Ended(TOKEN_ENDED, "this browser is no longer paired") from error
        except HearthError as error:
            text = frames.problem(follow.id, error)
        self._release(follow.id, tasks)
        await self._send(text)

    def _release(self, id: int, tasks: asyncio.TaskGroup) -> None:
        """This stream is over; when it was the last that told everything, the silent one stands in again."""
        del self._streams[id]
        if id in self._live:
            self._live.discard(id)
            if not self._live:
                self._listen_silently(tasks)

    def _listen_silently(self, tasks: asyncio.TaskGroup) -> None:
        self._silent = tasks.create_task(self._stay())

    async def _stay(self) -> None:
        """Raises Ended once the token is no longer good. A stream that ends otherwise is asked for again."""
        while True:
            try:
                await self._backend.follow(self._who, LIVE, None, _Nobody(), stride_ms=_SILENT_STRIDE_MS)
            except Unauthorized as error:
                raise Ended(TOKEN_ENDED, "this browser is no longer paired") from error
            except HearthError:
                pass  # the backend is going, and this program with it
            await asyncio.sleep(_AGAIN_S)

    def _drop_all(self) -> None:
        for task in (*self._calls.values(), *self._streams.values(), self._silent):
            if task is not None:
                task.cancel()


def _first(group: BaseExceptionGroup[Ended]) -> Ended:
    one = group.exceptions[0]
    return one if isinstance(one, Ended) else _first(one)
