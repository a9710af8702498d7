"""One editor's session over stdin and stdout: from its first byte to its exit, or to the end of its pipe."""

import asyncio
import logging
import os
import stat
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from hearth_lsp.frames import BrokenFrame, Frames
from hearth_lsp.server import HearthServer
from hearth_shared.discovery import START
from hearth_shared.paths import Home

log = logging.getLogger(__name__)
_LAST_WORDS_S = 2.0


class Session:
    """Ends with `exit`, with the end of the pipe, or with the editor's process; `run` tells the exit status."""

    def __init__(self, server: HearthServer) -> None:
        self._server = server
        self._frames = Frames()
        self._bodies: deque[bytes] = deque()

    async def run(self) -> int:
        """Until it is over."""
        loop = asyncio.get_running_loop()
        leaving = self._server.editor.leaving = loop.create_future()
        writer = await _outgoing()
        self._server.editor.set_writer(writer)
        incoming = await self._incoming()
        try:
            return await leaving
        finally:
            if incoming is not None:
                incoming.close()
            await self._server.leave()
            writer.close()
            await writer.gone()

    def take(self, data: bytes) -> None:
        """What came from the editor."""
        idle = not self._bodies
        try:
            self._bodies += self._frames.feed(data)
        except BrokenFrame as error:
            log.error("the editor sent %s; the session is over", error)
            self.ended()
        if idle and self._bodies:
            self._next()

    def _next(self) -> None:
        """One message in each turn of the loop: what it asks for sees the files as they are now, not as a message
        behind it makes them."""
        try:
            self._server.editor.receive(self._bodies[0])
        finally:
            self._bodies.popleft()
            if self._bodies:
                asyncio.get_running_loop().call_soon(self._next)

    def ended(self) -> None:
        """The editor is gone."""
        leaving = self._server.editor.leaving
        if leaving is not None and not leaving.done():
            leaving.set_result(1)

    async def _incoming(self) -> asyncio.ReadTransport | None:
        loop = asyncio.get_running_loop()
        if not _can_be_waited_for(sys.stdin.fileno()):
            self.take(await asyncio.to_thread(sys.stdin.buffer.read))
            loop.call_soon(self._at_end)
            return None
        transport, _ = await loop.connect_read_pipe(lambda: _Reader(self), sys.stdin.buffer)
        return transport

    def _at_end(self) -> None:
        """The end of a file counts once everything before it was taken."""
        if self._bodies:
            asyncio.get_running_loop().call_soon(self._at_end)
        else:
            self.ended()


def _can_be_waited_for(descriptor: int) -> bool:
    """Pipes, sockets and terminals; a file or the null device always has something to say."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)


class _Reader(asyncio.Protocol):
    def __init__(self, session: Session) -> None:
        self._session = session

    def data_received(self, data: bytes) -> None:
        self._session.take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._session.ended()


class _Plain:
    """A file, which never makes anybody wait."""

    def write(self, data: bytes) -> None:
        with suppress(OSError):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def close(self) -> None:
        """Nothing is held."""

    async def gone(self) -> None:
        """It was never kept waiting."""


class _Pipe(asyncio.BaseProtocol):
    def __init__(self) -> None:
        self.closed = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


class _Out:
    """The pipe to the editor. What was said last goes out before it closes, unless nobody reads it."""

    def __init__(self, transport: asyncio.WriteTransport, pipe: _Pipe) -> None:
        self._transport = transport
        self._pipe = pipe

    def write(self, data: bytes) -> None:
        """Take all of it; it goes out as the editor reads."""
        self._transport.write(data)

    def close(self) -> None:
        """No more comes."""
        self._transport.close()

    async def gone(self) -> None:
        """All of it was read, or nobody reads it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._pipe.closed, _LAST_WORDS_S)


async def _outgoing() -> "_Out | _Plain":
    loop = asyncio.get_running_loop()
    try:
        transport, pipe = await loop.connect_write_pipe(_Pipe, sys.stdout.buffer)
    except (ValueError, PermissionError):
        return _Plain()
    return _Out(transport, pipe)


def watch_editor(pid: int | None, ended: Callable[[], None]) -> None:
    """Call `ended` when the editor's process ends: its pipe may be held open by others that it started."""
    if not pid or pid == os.getpid() or not hasattr(os, "pidfd_open"):
        return
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return  # not to be seen from here, as from inside a container
    asyncio.get_running_loop().add_reader(descriptor, ended)


async def serve(home: Home, command: Sequence[str] = START) -> int:
    """One session from beginning to end; the exit status."""
    server = HearthServer(home, command=command)
    session = Session(server)
    server.watch = lambda pid: watch_editor(pid, session.ended)
    return await session.run()
