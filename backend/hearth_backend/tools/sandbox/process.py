"""One program in the sandbox: started, fed, listened to up to a limit, ended in time."""

import asyncio
import os
import platform
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from hearth_backend.tools.sandbox.command import Room, command
from hearth_backend.tools.sandbox.seccomp import program

LOUDEST: Final = 262_144
_GIT: Final = (
    b"[user]\n\tname = Hearth\n\temail = hearth@localhost\n[safe]\n\tdirectory = *\n[core]\n\tfsmonitor = false\n"
)
_PLAIN: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "TERM": "dumb"}


class Ran(NamedTuple):
    """How it ended. `problem` says why it did not run, or had to be ended; `status` is None then."""

    status: int | None
    output: bytes
    problem: str = ""


async def run(
    room: Room, argv: Sequence[str], given: bytes = b"", *, environ: Mapping[str, str] | None = None, seconds: int = 60
) -> Ran:
    """Whatever becomes of the caller, nothing of it outlives this."""
    wanted = program(platform.machine())
    if wanted is None:
        return Ran(None, b"", f"there is no filter for {platform.machine()}")
    filter_fd, git_fd = _held(wanted), _held(_GIT)
    line = command(room, argv, _PLAIN | dict(environ or {}), filter_fd, git_fd, seconds=seconds)
    try:
        process = await asyncio.create_subprocess_exec(
            *line,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={"PATH": _PLAIN["PATH"], "LANG": "C.UTF-8"},
            pass_fds=(filter_fd, git_fd),
            start_new_session=True,
            close_fds=True,
        )
    except OSError as error:
        return Ran(None, b"", f"{error.filename or 'prlimit'} cannot be started: {error.strerror}")
    finally:
        os.close(filter_fd)
        os.close(git_fd)
    try:
        async with asyncio.timeout(seconds):
            return await _listen(process, given)
    except TimeoutError:
        return Ran(None, b"", f"it did not come to an end within {seconds} s")
    finally:
        await _end(process)


async def _listen(process: asyncio.subprocess.Process, given: bytes) -> Ran:
    assert process.stdin is not None
    assert process.stdout is not None
    feeding = asyncio.create_task(_feed(process.stdin, given))
    pieces: list[bytes] = []
    heard = 0
    try:
        while piece := await process.stdout.read(65_536):
            pieces.append(piece)
            heard += len(piece)
            if heard > LOUDEST:
                return Ran(None, b"".join(pieces)[:LOUDEST], f"it said more than {LOUDEST} bytes, and was ended")
        return Ran(await process.wait(), b"".join(pieces))
    finally:
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding


async def _feed(stream: asyncio.StreamWriter, given: bytes) -> None:
    with suppress(ConnectionError):
        stream.write(given)
        await stream.drain()
        stream.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """bubblewrap is the first process of everything inside: with it all of that ends.

    What it said last is read and dropped: asyncio takes a process for ended once its pipe is, and one that is full is
    not read by itself.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(asyncio.CancelledError):
        while process.stdout is not None and await process.stdout.read(65_536):
            pass
        await process.wait()


def _held(content: bytes) -> int:
    """A file without a name, to be read from its beginning."""
    fd = os.memfd_create("hearth-sandbox", os.MFD_CLOEXEC)
    os.write(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
