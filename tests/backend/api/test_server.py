"""A whole backend's beginning and end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearth_shared import discovery
from hearth_shared.paths import Home
from hearth_shared.protocol.principals import Scope
from support.backend import LIMIT_S, Backend, running

pytestmark = pytest.mark.integration


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else has."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def start(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A start that fails."""
    return subprocess.run(
        [sys.executable, "-I", "-m", "hearth_backend", "up", "--headless", *arguments],
        env={**os.environ, "HEARTH_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def follow(backend: Backend, opened: threading.Event, ended: list[bytes]) -> None:
    """Read all events until the stream ends."""
    with backend.door("cli").stream("GET", "/v1/events") as answer:
        pieces: list[bytes] = []
        for piece in answer.iter_bytes():
            opened.set()
            pieces.append(piece)
        ended.append(b"".join(pieces))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_open_streams_and_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path / "home") as backend:
        opened, ended = threading.Event(), list[bytes]()
        reader = threading.Thread(target=follow, args=(backend, opened, ended))
        reader.start()
        assert opened.wait(LIMIT_S)
        assert backend.stop(number) == 0
        reader.join(LIMIT_S)
        (read,) = ended
        assert read.startswith(b":\n\n")
        assert read.endswith(b"\n\n")
        left = {path.name for path in backend.home.run.iterdir()}
        assert not left & {"backend.json", "api.sock", "tray.key", "cli.key", "editor.key"}
        assert discovery.read_endpoint(backend.home) is None


def test_where_the_doors_are_is_written_for_those_who_look(tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend:
        said = json.loads(backend.home.endpoint.read_text())
        assert (said["pid"], said["port"], said["socket"]) == (
            backend.process.pid,
            backend.port,
            str(backend.home.socket),
        )
        status = backend.door().get("/v1/status").json()
        assert status["doors"] == {"socket": said["socket"], "http": backend.url}


def test_a_taken_port_gives_way_and_is_said_once(tmp_path: Path, taken: int) -> None:
    with running(tmp_path / "home", environ={"HEARTH_SERVER__PORT": str(taken)}, arguments=()) as backend:
        assert backend.port != taken
        components = {part["name"]: part for part in backend.door().get("/readyz").json()["components"]}
        assert components["http"]["state"] == "warn"
        assert str(taken) in components["http"]["detail"]
        assert str(backend.port) in components["http"]["detail"]


def test_a_taken_port_that_was_asked_for_ends_the_start(tmp_path: Path, taken: int) -> None:
    ended = start(tmp_path / "home", "--port", str(taken))
    assert ended.returncode == 1
    assert f"Port {taken}" in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr
    home = Home(tmp_path / "home")
    assert not home.socket.exists()
    assert not home.key("tray").exists()


def test_a_second_backend_of_the_same_home_does_not_start(tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend:
        ended = start(backend.home.root, "--port", "0")
        assert ended.returncode == 1
        assert "already running" in ended.stderr + ended.stdout
        assert backend.door().get("/healthz").status_code == 200


def test_what_a_killed_backend_left_behind_does_not_hinder_the_next(tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend:
        old_key = backend.key("tray")
        backend.stop(signal.SIGKILL)
        assert backend.home.socket.exists()
    with running(tmp_path / "home") as backend:
        assert backend.over_socket(old_key).get("/v1/status").status_code == 401
        assert backend.door().get("/v1/status").status_code == 200


def test_a_backend_that_nobody_needs_goes(tmp_path: Path) -> None:
    with running(tmp_path / "home", environ={"HEARTH_SERVER__LINGER_S": "0.05"}) as backend:
        assert backend.process.wait(LIMIT_S) == 0
        assert not backend.home.endpoint.exists()


def test_a_token_outlives_a_restart_and_a_key_does_not(tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend:
        token = backend.token(Scope.STATUS).text
    with running(tmp_path / "home") as backend:
        assert backend.over_tcp(token).get("/v1/status").status_code == 200
