"""One engine child as the backend sees it: a process, and a socket that is its life."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import cast

from hearth_backend.engine.frames import Answer, Decoder, FrameError, Hello, Message, Ready, Refused, encode

log = logging.getLogger(__name__)

ARGV = (sys.executable, "-I", "-m", "hearth_backend.engine.worker")
_KEPT_STDERR = 4096
_PATIENCE_S = 5.0
NOTHING_MORE: Mapping[str, str] = MappingProxyType({})
# What the loader, the drivers and their caches need, and nothing that could hold a secret.
_PASSED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "SYSTEMROOT", "LD_LIBRARY_PATH"),
    *("LLAMA_CPP_LIB_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_PATH", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"),
    *("GGML_VK_VISIBLE_DEVICES", "VK_ICD_FILENAMES", "VK_DRIVER_FILES"),
)


def environment(around: Mapping[str, str] | None = None) -> dict[str, str]:
    """The child's whole environment.

    OpenMP must be told before its library loads: by default its threads spin at barriers, which costs a hundredfold
    once another program wants a core. GNU's heeds the short spin, others the policy. ggml would call a debugger for a
    backtrace when it aborts.
    """
    around = os.environ if around is None else around
    passed = {name: around[name] for name in _PASSED if name in around}
    return passed | {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "100", "GGML_NO_BACKTRACE": "1"}


class Child(asyncio.Protocol):
    """A running child.

    What it says until its model is ready waits in `opening` (None: it died); then `answered` gets its answers, and
    `ended` is called once, after the last of them.
    """

    def __init__(self, answered: Callable[[Answer], None], ended: Callable[["Child"], None]) -> None:
        self._answered = answered
        self._ended = ended
        self.opening: asyncio.Queue[Hello | Ready | Refused | None] = asyncio.Queue()
        self._decoder = Decoder()
        self._closed = asyncio.Event()
        self._gone = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.Task[None] | None = None
        self.pid = 0
        self.returncode: int | None = None
        self.last_words = ""
        self.wanted = True

    @classmethod
    async def start(
        cls,
        answered: Callable[[Answer], None],
        ended: Callable[["Child"], None],
        argv: Sequence[str] = ARGV,
        environ: Mapping[str, str] = NOTHING_MORE,
    ) -> "Child":
        """Start the process, in a session of its own so that Ctrl-C reaches the backend alone.

        `environ` goes beside what every engine child gets: which build's libraries to load.
        """
        child = cls(answered, ended)
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *argv,
                    stdin=theirs.fileno(),
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                    env=environment() | dict(environ),
                    start_new_session=True,
                )
            child.pid = process.pid
            ours.setblocking(False)
            await asyncio.get_running_loop().create_unix_connection(lambda: child, sock=ours)
        except BaseException:
            ours.close()
            raise
        child._watch = asyncio.create_task(child._attend(process), name=f"engine-child-{process.pid}")
        return child

    def send(self, message: Message) -> None:
        """Send a message; a child that is gone does not get it, and `ended` tells."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode(message))

    async def close(self) -> None:
        """Let it end, and wait until it has."""
        self.wanted = False
        if self._transport is not None:
            self._transport.close()
        await self._gone.wait()

    def how_it_ended(self) -> str:
        """In words: by which signal, or with which status."""
        code = self.returncode or 0
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name if code < 0 else f"status {code}"
        return f"status {code}"

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._decoder.feed(data):
                self._hear(message)
        except FrameError as error:
            log.error("engine child %s: %s", self.pid, error)
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    def _hear(self, message: Message) -> None:
        if isinstance(message, Answer):
            self._answered(message)
        elif isinstance(message, Hello | Ready | Refused):
            self.opening.put_nowait(message)
        else:
            raise FrameError("a message for the child came to the backend")

    # -- its end

    async def _attend(self, process: asyncio.subprocess.Process) -> None:
        """The one place that waits for the process: its last words, its status, and no child left behind."""
        hurry = asyncio.create_task(self._hurry(process))
        try:
            self.last_words = await _end_of(process.stderr)
            self.returncode = await process.wait()
            await self._closed.wait()
        finally:  # also when the loop ends without `close`: whoever waits for the child must not wait for ever
            hurry.cancel()
            self._gone.set()
            self.opening.put_nowait(None)
            _kill(process)
        self._ended(self)

    async def _hurry(self, process: asyncio.subprocess.Process) -> None:
        """A child whose socket is closed ends by itself at once; if it cannot, it is killed."""
        await self._closed.wait()
        await asyncio.sleep(_PATIENCE_S)
        _kill(process)


async def _end_of(stream: asyncio.StreamReader | None) -> str:
    """The last of what is written to a pipe, once it is closed."""
    kept = b""
    while stream is not None and (data := await stream.read(_KEPT_STDERR)):
        kept = (kept + data)[-_KEPT_STDERR:]
    return kept.decode("utf-8", "replace").strip()


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
