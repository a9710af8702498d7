"""The index child as the backend sees it: a process, and a socket that is its life."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Coroutine, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hearth_backend.memory.index_frames import (
    HEADER,
    Ask,
    Count,
    Done,
    Failed,
    Found,
    Frame,
    Put,
    Ready,
    Remove,
    decode,
    decode_header,
    encode,
)

T = TypeVar("T")
Rows = NDArray[np.float32]
_LONGEST_WAIT_S = 120.0
_LAST_WAIT_S = 5.0
_BROKEN = (OSError, EOFError, ValueError)  # TimeoutError, ConnectionError and IncompleteReadError among them


class IndexBroken(Exception):
    """The child died, or Chroma failed in it. `blames_data` is False when its files are not to blame."""

    def __init__(self, detail: str, *, blames_data: bool = True) -> None:
        super().__init__(detail)
        self.blames_data = blames_data


def is_installed() -> bool:
    """Whether Chroma can be imported, without importing it."""
    return find_spec("chromadb") is not None


class IndexChild:
    """A running child with an open collection. Safe to call from many tasks; it serves them in turn.

    Every method raises IndexBroken. A caller that is cancelled leaves the child in step: its answer is awaited and
    dropped.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]):
        self.pid = process.pid
        self._process = process
        self._reader, self._writer = streams
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()

    @classmethod
    async def start(cls, folder: Path, collection: str) -> "IndexChild":
        """Start it on a folder, whose parent must exist; returns when the collection is open."""
        try:
            ours, process = _spawn([str(folder), collection])
            child = cls(process, await asyncio.open_connection(sock=ours))
        except OSError as error:
            raise IndexBroken(f"The index's process could not be started: {error}.", blames_data=False) from error
        try:
            await child._receive(Ready)
        except BaseException:
            await child.end()
            raise
        return child

    async def put(self, keys: Sequence[str], rows: Rows) -> int:
        """Keep vectors; how many there are then."""
        return (await self._say(Put(keys, rows), Done)).count

    async def remove(self, keys: Sequence[str]) -> int:
        """Let go of keys; how many are left."""
        return (await self._say(Remove(keys), Done)).count

    async def nearest(self, rows: Rows, most: int) -> Sequence[Sequence[str]]:
        """The keys nearest to each row, nearest first."""
        return (await self._say(Ask(rows, most), Found)).keys

    async def count(self) -> int:
        """How many vectors it holds."""
        return (await self._say(Count(), Done)).count

    async def end(self) -> bool:
        """Hang up, and wait until it is gone; whether it went in order. Who waits for an answer hears IndexBroken."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return await asyncio.to_thread(self._reap) == 0

    async def _say(self, frame: Frame, kind: type[T]) -> T:
        return await asyncio.shield(self._own(self._exchange(frame, kind)))

    async def _exchange(self, frame: Frame, kind: type[T]) -> T:
        async with self._turn:
            try:
                self._writer.write(encode(frame))
            except _BROKEN as error:
                raise IndexBroken(f"The index's process broke off: {error!r}.") from error
            return await self._receive(kind)

    async def _receive(self, kind: type[T]) -> T:
        """The next frame, which must be of `kind`."""
        try:
            async with asyncio.timeout(_LONGEST_WAIT_S):
                length, number = decode_header(await self._reader.readexactly(HEADER.size))
                frame = decode(number, await self._reader.readexactly(length))
        except _BROKEN as error:
            raise IndexBroken(f"The index's process broke off: {error!r}.") from error
        if isinstance(frame, Failed):
            raise IndexBroken(frame.detail, blames_data=frame.broken)
        if not isinstance(frame, kind):
            raise IndexBroken(f"The index answered with {type(frame).__name__}, not {kind.__name__}.")
        return frame

    def _own(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone: then nobody else would look

    def _reap(self) -> int:
        try:
            return self._process.wait(_LAST_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _spawn(arguments: list[str]) -> "tuple[socket.socket, subprocess.Popen[bytes]]":
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-m", "hearth_backend.memory.index_worker", *arguments],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )
        except BaseException:
            ours.close()
            raise
    return ours, process


def _environment() -> dict[str, str]:
    """Cleared, but for what the system itself needs; few threads: it works beside a person's other programs."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ANONYMIZED_TELEMETRY": "False"}
