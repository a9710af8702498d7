"""`hearth toggle`, `hearth inbox` and `hearth up` with the real tray, on a display that nobody sees."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from hearth_shared.client import BackendClient
from hearth_shared.paths import Home
from support import tools
from support.backend import Backend
from support.bridges import is_alive
from support.command import hearth

pytestmark = pytest.mark.desktop

LIMIT_S = 60


def trays(home: Path) -> list[int]:
    """The trays of this home."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if b"hearth_desktop" in words and f"HEARTH_HOME={home}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return [pid for pid in found if is_alive(pid) and parent(pid) not in found]  # no copy on its way to a program


def parent(pid: int) -> int:
    """The process that made this one; 0 when it is gone."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def end(pid: int, number: int) -> None:
    """Ends a process of ours and waits until it has ended."""
    watched = os.pidfd_open(pid)
    try:
        os.kill(pid, number)
        assert select.select([watched], [], [], LIMIT_S)[0], f"process {pid} goes on"
    finally:
        os.close(watched)


@contextmanager
def offscreen(home: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A display for the tray; whatever is left of it is ended."""
    tools.need("PySide6")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    try:
        yield
    finally:
        for pid in trays(home):
            end(pid, signal.SIGTERM)


@pytest.mark.parametrize("verb", ["toggle", "inbox"])
def test_the_tray_is_started_once_and_told_from_then_on(
    house: Backend, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    with offscreen(house.home.root, monkeypatch):
        first = hearth(house, verb)
        assert first.status == 0, first.err
        started = trays(house.home.root)
        assert len(started) == 1
        again = hearth(house, verb)
        assert again.status == 0, again.err
        assert trays(house.home.root) == started


def test_up_brings_the_icon_and_outlives_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "home")
    monkeypatch.setenv("HEARTH_HOME", str(home.root))
    monkeypatch.setenv("HEARTH_MODELS__LOOK_AROUND", "false")
    monkeypatch.setenv("HEARTH_BRIDGE__PORT", "0")
    command = [sys.executable, "-I", "-m", "hearth_backend", "up", "--port", "0"]
    with offscreen(home.root, monkeypatch):
        up = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            assert up.stdout is not None
            said = list(iter(up.stdout.readline, "Ctrl-C stops it.\n"))
            assert "  tray       its icon comes up now\n" in said
            (pid,) = trays(home.root)
            end(pid, signal.SIGKILL)
            assert BackendClient(home, "cli", start=False).request("GET", "/v1/status")["state"]
        finally:
            up.send_signal(signal.SIGTERM)
            up.communicate(timeout=LIMIT_S)
    assert up.returncode == 0
