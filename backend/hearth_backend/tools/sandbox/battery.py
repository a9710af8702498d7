"""Tries the sandbox out: runs the attacks inside it, and looks from outside what came of them."""

import asyncio
import json
import os
import secrets
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from hearth_backend.tools.sandbox.command import Room
from hearth_backend.tools.sandbox.process import Ran, run

PYTHON: Final = "/usr/bin/python3"
CONTROL: Final = "write here"
_ATTACKS: Final = Path(__file__).with_name("attacks.py")
_LIMIT_S: Final = 20


class Verdict(NamedTuple):
    """`held` is how each attack was stopped; `open` are those that were not; `problem` says why nothing was tried."""

    held: dict[str, str]
    open: tuple[str, ...] = ()
    problem: str = ""

    @property
    def contains(self) -> bool:
        """Whether everything was tried, and nothing got out."""
        return not self.problem and not self.open and bool(self.held)


async def battery() -> Verdict:
    """As the user who runs Hearth."""
    with tempfile.TemporaryDirectory(prefix="hearth-battery-") as folder, ExitStack() as stack:
        return await _tried(Path(folder).resolve(), stack)  # noqa: ASYNC240  a look, once


async def _tried(top: Path, stack: ExitStack) -> Verdict:
    inside, outside = _scene(top)
    name = f"hearth-battery-{secrets.token_hex(8)}"
    tcp, heard, environ = _listeners(stack, outside, name)
    room = Room(str(inside), (str(inside / "fixed"),), (str(inside / "masked"),))
    ran = await run(room, [PYTHON, "-I", "-S", "-"], _ATTACKS.read_bytes(), environ=environ, seconds=_LIMIT_S)
    if ran.problem or ran.status != 0:
        return Verdict({}, (), ran.problem or _last_line(ran))
    found: dict[str, str] = json.loads(ran.output.decode().splitlines()[-1])
    if not _came(heard):
        found["UDP to this machine"] = "shut (went nowhere)"
    _look_for_traces(found, name, inside, outside)
    control = found.pop(CONTROL, "")
    opened = tuple(attack for attack, how in found.items() if how.startswith("open"))
    del tcp
    if not control.startswith("open"):
        return Verdict(found, opened, f"a file could not be written where it may be ({control})")
    return Verdict(found, opened)


def _scene(top: Path) -> tuple[Path, Path]:
    inside, outside = top / "inside", top / "outside"
    for folder in (inside / "fixed", inside / "masked", outside):
        folder.mkdir(parents=True)
    (outside / "secret").write_text("secret")
    (inside / "link").symlink_to(outside / "secret")
    (inside / "masked" / "key").write_text("key")
    return inside, outside


def _listeners(stack: ExitStack, outside: Path, name: str) -> tuple[list[socket.socket], socket.socket, dict[str, str]]:
    """Whatever connects to them got out: the kernel accepts for them."""
    tcp = stack.enter_context(socket.socket())
    tcp.bind(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    heard = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    heard.bind(("127.0.0.1", port))
    heard.setblocking(False)
    abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
    abstract.bind(f"\0{name}")
    there = stack.enter_context(socket.socket(socket.AF_UNIX))
    there.bind(str(outside / "s"))
    listening = [tcp, abstract, there]
    for listener in listening:
        listener.listen()
    environ = {"SECRET": str(outside / "secret"), "OUTSIDE": str(outside), "PORT": str(port), "PID": str(os.getpid())}
    return listening, heard, environ | {"NAME": name, "SOCKET": str(outside / "s")}


def _look_for_traces(found: dict[str, str], name: str, inside: Path, outside: Path) -> None:
    """What an attack says of itself counts less than what it left behind."""
    shared = Path("/tmp", name)
    if shared.exists():
        shared.unlink()
    else:
        found["write to the shared /tmp"] = "shut (a /tmp of its own)"
    for attack, path in (("write outside", outside / "made"), ("write what is fixed", inside / "fixed/hook")):
        if path.exists() and path.read_text() == "x":
            found[attack] = "open (the file is there)"


def _came(heard: socket.socket) -> bool:
    try:
        return bool(heard.recv(10))
    except BlockingIOError:
        return False


def _last_line(ran: Ran) -> str:
    said = ran.output.decode("utf-8", "replace").strip().splitlines()
    return said[-1][:200] if said else f"it ended with status {ran.status}"


if __name__ == "__main__":
    verdict = asyncio.run(battery())
    sys.stdout.write(json.dumps(verdict._asdict() | {"contains": verdict.contains}) + "\n")
