"""all-MiniLM-L6-v2 in a child process: loaded at the first text, unloaded when idle, started again when it died."""

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hearth_backend.engine import minilm_weights
from hearth_backend.engine.embedder_frames import (
    HEADER,
    Ask,
    Failed,
    Frame,
    Ready,
    Vectors,
    decode,
    decode_header,
    encode,
)
from hearth_backend.engine.embedding_record import EmbeddingRecord
from hearth_shared.errors import ModelUnavailable

log = logging.getLogger(__name__)
T = TypeVar("T")
Rows = NDArray[np.float32]
DIM = 384
LONGEST = 256
_SLICE = 32  # texts a request: a question waits for one slice of a bulk call, not for all of it
_LONGEST_WAIT_S = 60.0
_LAST_WAIT_S = 5.0
_BROKEN = (OSError, EOFError, ValueError)  # TimeoutError, ConnectionError and IncompleteReadError among them


class MiniLMEmbedder:
    """Embeds text on this machine. Safe to call from many tasks; the child serves them in turn.

    `folder` is where the verified weights are placed (the models folder's `minilm`). A caller that is cancelled
    leaves the child in step: its answer is awaited and dropped.
    """

    def __init__(self, folder: Path, variant: str = "fp32", idle_s: float = 300.0) -> None:
        self._folder = folder
        self._variant = variant
        self.record = EmbeddingRecord(f"all-minilm-l6-v2.{variant}", DIM, LONGEST)
        self._idle_s = idle_s
        self._child: _Child | None = None
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unload: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def dim(self) -> int:
        return DIM

    @property
    def fix(self) -> str:
        """What helps when `available` is False."""
        return minilm_weights.FIX

    @property
    def pid(self) -> int | None:
        """The child's process id while it is loaded."""
        return self._child.pid if self._child else None

    async def available(self) -> bool:
        """Whether the weights are on this machine; they are verified when they are loaded."""
        return await asyncio.to_thread(minilm_weights.within_reach, self._folder)

    async def embed(self, texts: Sequence[str]) -> Rows:
        """One L2-normalised float32 row for each text. Raises ModelUnavailable."""
        rows = np.zeros((len(texts), DIM), np.float32)
        order = sorted(range(len(texts)), key=lambda position: -len(texts[position]))
        for start in range(0, len(order), _SLICE):
            part = order[start : start + _SLICE]
            rows[part] = await asyncio.shield(self._own(self._ask([texts[position] for position in part])))
        return rows

    async def close(self) -> None:
        """End the child; the embedder cannot be used again."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._drop()

    def _own(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _ask(self, texts: list[str]) -> Rows:
        async with self._turn:
            for _ in range(2):  # a child that was killed is started again once
                try:
                    return await self._ask_once(texts)
                except _BROKEN as error:
                    log.info("the embedder broke off: %r", error)
                    await self._drop()
                except BaseException:
                    await self._drop()
                    raise
        raise ModelUnavailable("The embedding model's process broke off twice.", "Ask again, or run `hearth doctor`.")

    async def _ask_once(self, texts: list[str]) -> Rows:
        if self._closed:
            raise ModelUnavailable("The embedder is closed.", "Start Hearth again with `hearth up`.")
        if self._unload is not None:
            self._unload.cancel()
        if self._child is None:
            self._child = await _Child.start(self._folder, self._variant)
            await self._child.receive(Ready)
            log.info("embedder loaded: %s", self.id)
        self._child.send(Ask(texts))
        rows = (await self._child.receive(Vectors)).rows
        self._unload = asyncio.get_running_loop().call_later(self._idle_s, self._unload_idle)
        return rows

    def _unload_idle(self) -> None:
        if not self._turn.locked():
            self._own(self._drop())

    async def _drop(self) -> None:
        if self._unload is not None:
            self._unload.cancel()
        child, self._child = self._child, None
        if child is not None:
            await child.end()


class _Child:
    """The process and our end of its socket; it exits when we close ours."""

    def __init__(self, process: "subprocess.Popen[bytes]", streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]):
        self.pid = process.pid
        self._process = process
        self._reader, self._writer = streams

    @classmethod
    async def start(cls, folder: Path, variant: str) -> "_Child":
        ours, process = _spawn([str(folder), variant, str(min(4, os.cpu_count() or 1))])
        return cls(process, await asyncio.open_connection(sock=ours))

    def send(self, frame: Frame) -> None:
        self._writer.write(encode(frame))

    async def receive(self, kind: type[T]) -> T:
        """The next frame, which must be of `kind`; Failed is raised."""
        async with asyncio.timeout(_LONGEST_WAIT_S):
            length, number = decode_header(await self._reader.readexactly(HEADER.size))
            frame = decode(number, await self._reader.readexactly(length))
        if isinstance(frame, Failed):
            raise ModelUnavailable(frame.detail, frame.fix)
        if not isinstance(frame, kind):
            raise ValueError(f"expected {kind.__name__}")
        return frame

    async def end(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        await asyncio.to_thread(self._reap)

    def _reap(self) -> None:
        try:
            self._process.wait(_LAST_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _spawn(arguments: list[str]) -> "tuple[socket.socket, subprocess.Popen[bytes]]":
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "hearth_backend.engine.embedder_worker", *arguments],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
    return ours, process


def _environment() -> dict[str, str]:
    """Cleared, but for what the system itself needs, and for threads that numpy would never use."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
