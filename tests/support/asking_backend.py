"""The whole backend, and beside it a way for tests to have approvals asked for, as a run's tool will.

with asking(folder) as backend:
    approval = backend.ask(tool="write_file", args={"path": "a.txt"})

As a script it is the backend itself: `services.approvals.request` is called with each JSON line that comes over a
socket in the home, and answered with the approval.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hearth_backend.api.server import serve
from hearth_backend.orchestrator.approvals import Asked
from hearth_backend.services import Services, open_services
from hearth_backend.tools.binding import digest
from hearth_shared import discovery, logs, settings
from hearth_shared.paths import Home, find_home

LIMIT_S = 60.0
AGENT = "assistant"


@dataclass
class AskingBackend:
    """A backend that runs."""

    home: Home
    process: "subprocess.Popen[bytes]"

    def ask(self, **wanted: Any) -> dict[str, Any]:
        """Have an approval asked for."""
        asked: dict[str, Any] = {
            "agent_id": AGENT,
            "owner": "person",
            "door": "cli",
            "tool": "write_file",
            "args": {},
            **wanted,
        }
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(LIMIT_S)
            connection.connect(str(_asking_socket(self.home)))
            connection.sendall(json.dumps(asked).encode() + b"\n")
            with connection.makefile("rb") as answers:
                return json.loads(answers.readline())

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(LIMIT_S)


@contextlib.contextmanager
def asking(folder: Path, environ: Mapping[str, str] | None = None) -> Generator[AskingBackend]:
    """A backend until left; waits until it is ready."""
    home = Home(folder)
    home.make()
    backend = AskingBackend(home, _start(home, environ or {}))
    try:
        yield backend
    finally:
        backend.stop()


def _start(home: Home, environ: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    ready, child_end = os.pipe()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")}
    own = {"HEARTH_HOME": str(home.root), "HEARTH_MODELS__LOOK_AROUND": "false", discovery.READY_FD: str(child_end)}
    with open(home.logs / "output", "ab") as output:
        process = subprocess.Popen(
            [sys.executable, __file__],
            env={**kept, **own, **environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(child_end,),
            start_new_session=True,
        )
    os.close(child_end)
    with open(ready, "rb") as pipe:
        said = json.loads(pipe.read() or b"{}")
    assert said.get("ready"), (said, (home.logs / "output").read_text())
    return process


def _asking_socket(home: Home) -> Path:
    return home.socket.with_name("asking.sock")


async def _backend(home: Home, chosen: settings.Settings) -> None:
    async with open_services(home, chosen) as services:
        path = _asking_socket(home)
        path.unlink(missing_ok=True)

        async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _asked(services, reader, writer)

        async with await asyncio.start_unix_server(asked, path):
            await serve(services, port=0, keep=True)


async def _asked(services: Services, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    wanted = json.loads(await reader.readline())
    bound = digest(wanted["tool"], wanted["args"])
    approval = await services.approvals.request(Asked(**wanted, sha256=bound))
    writer.write(approval.model_dump_json().encode() + b"\n")
    await writer.drain()
    writer.close()


def main() -> None:
    """Be the backend until SIGTERM."""
    home = find_home()
    with discovery.claim(home):
        chosen = settings.load(home.config)
        noted = logs.set_up(chosen.observe.log_level, home.logs)
        try:
            asyncio.run(_backend(home, chosen))
        finally:
            noted.close()


if __name__ == "__main__":
    main()
