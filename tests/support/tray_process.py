"""The tray app as a process of its own, offscreen unless told otherwise."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import psutil

from hearth_shared import discovery
from hearth_shared.paths import Home

LIMIT_S = 60.0
_PAUSE_S = 0.1
TRAY = (sys.executable, "-I", "-m", "hearth_desktop")
QUIET = {"HEARTH_MODELS__LOOK_AROUND": "false", "HEARTH_SERVER__PORT": "0", "HEARTH_BRIDGE__PORT": "0"}


@dataclass
class TrayProcess:
    """A tray that runs."""

    home: Home
    process: "subprocess.Popen[str]"

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def children(self) -> list[int]:
        """Processes that belong to it."""
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]

    def listens(self) -> bool:
        """Whether somebody in its seat takes wishes."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:  # a killed one leaves its file behind
            return self.is_alive and caller.connect_ex(str(self.home.tray)) == 0

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit status."""
        if self.is_alive:
            self.process.send_signal(number)
        return self.process.wait(LIMIT_S)


def environ(home: Home, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a tray of this home is started with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")}
    return {**kept, "HEARTH_HOME": str(home.root), "QT_QPA_PLATFORM": "offscreen", **QUIET, **(more or {})}


def tray(home: Home, *words: str, more: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """One start that ends by itself."""
    return subprocess.run(
        [*TRAY, *words],
        env=environ(home, more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@contextlib.contextmanager
def running_tray(
    home: Home, *words: str, more: Mapping[str, str] | None = None, command: Sequence[str] = TRAY
) -> Generator[TrayProcess]:
    """A tray until left, and the backend that it had started until then."""
    process = subprocess.Popen(
        [*command, *words],
        env=environ(home, more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield TrayProcess(home, process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=LIMIT_S)
        leave_nothing(home)


def leave_nothing(home: Home) -> None:
    """End every process of this home, also a backend that is only about to take its lock."""
    end = time.monotonic() + LIMIT_S
    while left := [one for one in psutil.process_iter() if _home_of(one) == str(home.root)]:
        assert time.monotonic() < end, left
        discovery.stop_backend(home)
        psutil.wait_procs(left, timeout=_PAUSE_S)


def _home_of(process: psutil.Process) -> str:
    try:
        return process.environ().get("HEARTH_HOME", "")
    except psutil.Error:
        return ""
