import contextlib
import json
import socketserver
import sys
import threading
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hearth_backend.cli import tray
from hearth_shared.paths import Home
from support.shell import hearth

pytestmark = pytest.mark.integration

OK: Mapping[str, Any] = {"ok": True}


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    answer: bytes = b""
    heard: "list[Any]"


class _Line(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        if line := self.rfile.readline():
            server.heard.append(json.loads(line))
            self.wfile.write(server.answer)


@contextlib.contextmanager
def running_tray(home: Home, answer: bytes = json.dumps(OK).encode() + b"\n") -> Generator[list[Any]]:
    """What a tray's socket does: a line in, a line out."""
    home.make()
    with _Server(str(home.tray), _Line) as server:
        server.answer, server.heard = answer, []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.heard
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("verb", ["toggle", "inbox"])
def test_the_running_tray_is_told(hearth_home: Path, verb: str) -> None:
    with running_tray(Home(hearth_home)) as heard:
        outcome = hearth(verb)
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")
    assert heard == [{"do": verb}]


def test_what_the_tray_cannot_do_is_said(hearth_home: Path) -> None:
    problem = {"ok": False, "problem": {"code": "bad_request", "detail": "The tray cannot 'toggle'.", "fix": "Update."}}
    with running_tray(Home(hearth_home), json.dumps(problem).encode() + b"\n"):
        outcome = hearth("toggle")
    assert outcome.status == 1
    assert "The tray cannot 'toggle'. Update." in outcome.err


@pytest.mark.parametrize("answer", [b"", b"nonsense\n"])
def test_a_tray_that_does_not_answer_is_said(hearth_home: Path, answer: bytes) -> None:
    with running_tray(Home(hearth_home), answer):
        outcome = hearth("inbox")
    assert outcome.status == 1
    assert "does not answer" in outcome.err


def test_without_a_display_the_terminals_own_ways_are_named(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    outcome = hearth("toggle")
    assert outcome.status == 1
    assert "There is no display here" in outcome.err
    assert "hearth chat" in outcome.err


def test_without_qt_the_way_to_it_is_named(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PySide6", None)
    outcome = hearth("inbox")
    assert outcome.status == 1
    assert "The tray needs PySide6" in outcome.err
    assert "make run" in outcome.err


def test_a_tray_that_cannot_start_says_why(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    broken = ("-c", "import sys; sys.exit('hearth-tray: the paint is wet')")
    monkeypatch.setattr(tray, "_TRAY", (sys.executable, "-I", *broken))
    outcome = hearth("toggle")
    assert outcome.status == 1
    assert "The tray ended while it started: the paint is wet" in outcome.err


def test_beside_the_backend_it_comes_only_where_it_can_be_shown(hearth_home: Path) -> None:
    home = Home(hearth_home)
    home.make()
    assert not tray.beside(home, {})
    with running_tray(home) as heard:
        assert not tray.beside(home, {"DISPLAY": ":99"})
    assert heard == []


@pytest.mark.parametrize(
    ("environ", "platform", "why"),
    [
        ({}, "linux", tray.NO_DISPLAY),
        ({"DISPLAY": ":0"}, "linux", ""),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", ""),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", ""),
        ({}, "darwin", ""),
    ],
)
def test_where_a_tray_can_be_shown(environ: dict[str, str], platform: str, why: str) -> None:
    assert tray.hindrance(environ, platform) == why
