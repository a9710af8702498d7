"""Event streams of a real backend: each event once and in order, over its death and whatever replaces it."""

import signal
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from hearth_desktop.net.events import EventStream, RunStream
from hearth_shared.discovery import stop_backend
from hearth_shared.errors import NotFound
from hearth_shared.paths import Home
from support.backend import Backend, running
from support.chat_window import kept
from support.qt_waits import Heard, wait

pytestmark = pytest.mark.desktop


def ask(backend: Backend, text: str, thread: str = "") -> tuple[str, str]:
    """Say something through the terminal's door; its thread and run."""
    cli = backend.door("cli")
    thread = thread or cli.post("/v1/threads", json={}).json()["id"]
    said = cli.post(f"/v1/threads/{thread}/messages", json={"text": text})
    return thread, str(said.json()["task_id"])


def test_what_happens_at_another_door_is_heard(qtbot: QtBot, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend, kept(backend.home) as api:
        stream = EventStream(api)
        heard, connected = Heard(stream.happened), Heard(stream.connected)
        stream.start()
        wait(qtbot, lambda: bool(connected.values))
        _, run = ask(backend, "hello")
        wait(qtbot, lambda: any(event["type"] == "task.finished" for event in heard.values))
        assert {event["run_id"] for event in heard.values if event["type"].startswith("task.")} == {run}
        stream.stop()


def test_a_runs_events_end_with_the_run(qtbot: QtBot, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend, kept(backend.home) as api:
        _, run = ask(backend, "hello")
        stream = RunStream(api, run)
        heard, ended = Heard(stream.happened), Heard(stream.ended)
        stream.start()
        wait(qtbot, lambda: bool(ended.values))
        assert heard.values[0]["type"] == "task.queued"
        assert heard.last["type"] == "task.finished"
        assert not stream.is_open


def test_a_run_that_is_not_there_is_refused(qtbot: QtBot, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend, kept(backend.home) as api:
        stream = RunStream(api, "run_nothing")
        refused = Heard(stream.refused)
        stream.start()
        wait(qtbot, lambda: bool(refused.values))
        assert isinstance(refused.last, NotFound)


def test_a_killed_backend_is_started_again_and_nothing_is_missed_or_doubled(qtbot: QtBot, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with running(home.root) as backend, kept(home) as api:
        stream = EventStream(api)
        heard, connected, lost = Heard(stream.happened), Heard(stream.connected), Heard(stream.lost)
        stream.start()
        wait(qtbot, lambda: bool(connected.values))
        thread, first = ask(backend, "hello")
        wait(qtbot, lambda: any(event["type"] == "task.finished" for event in heard.values))
        backend.stop(signal.SIGKILL)
        wait(qtbot, lambda: len(connected.values) == 2)
        assert len(lost.values) == 1
        with running_again(home) as again:
            _, second = ask(again, "hello again", thread)
            wait(qtbot, lambda: sum(event["type"] == "task.finished" for event in heard.values) == 2)
        numbers = [event["seq"] for event in heard.values]
        assert numbers == sorted(set(numbers))
        assert [event["run_id"] for event in heard.values if event["type"] == "task.queued"] == [first, second]
        stream.stop()


def test_a_backend_ended_in_good_order_is_waited_for_and_found(qtbot: QtBot, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with kept(home) as api:
        stream = EventStream(api)
        connected, lost, started = Heard(stream.connected), Heard(stream.lost), Heard(api.locator.starting)
        with running(home.root) as backend:
            stream.start()
            wait(qtbot, lambda: bool(connected.values))
            backend.stop()
            wait(qtbot, lambda: bool(lost.values))
        with running(home.root):
            wait(qtbot, lambda: len(connected.values) == 2)
            assert not started.values
            stream.stop()


def test_silence_is_taken_for_a_broken_connection(qtbot: QtBot, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend, kept(backend.home) as api:
        stream = EventStream(api, silent_ms=1000)  # the backend's comments come every 15 s
        connected, lost = Heard(stream.connected), Heard(stream.lost)
        stream.start()
        wait(qtbot, lambda: len(connected.values) == 3)
        assert len(lost.values) >= 2
        stream.stop()


def running_again(home: Home) -> "Again":
    """The backend that the tray had started, ended with the block."""
    return Again(home)


class Again:
    """A backend that is not a child of the test."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def __enter__(self) -> Backend:
        self._backend = Backend(self._home, 0, None)  # pyright: ignore[reportArgumentType]
        return self._backend

    def __exit__(self, *_: object) -> None:
        self._backend.hang_up()
        stop_backend(self._home)
