"""Requests over the Unix socket of a real backend: answers, problems, a backend that dies and comes back."""

import signal
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from hearth_shared.discovery import stop_backend
from hearth_shared.errors import BackendUnavailable, NotFound
from hearth_shared.paths import Home
from support.backend import running
from support.chat_window import kept
from support.qt_waits import Heard, answer, wait

pytestmark = pytest.mark.desktop


def test_an_answer_is_its_json(qtbot: QtBot, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend, kept(backend.home) as api:
        made = answer(qtbot, api.request("POST", "/v1/threads", {"title": "Grüße \U0001f525"}))
        assert made["title"] == "Grüße \U0001f525"
        assert made["door"] == "tray"
        listed = answer(qtbot, api.request("GET", "/v1/threads"))
        assert [thread["id"] for thread in listed["threads"]] == [made["id"]]


def test_a_problem_is_the_error_it_was_made_from(qtbot: QtBot, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend, kept(backend.home) as api:
        with pytest.raises(NotFound) as refused:
            answer(qtbot, api.request("GET", "/v1/threads/thr_nothing"))
        assert refused.value.fix


def test_a_cancelled_request_says_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend, kept(backend.home) as api:
        reply = api.request("GET", "/v1/doctor")
        heard = Heard(reply.done, reply.failed)
        reply.cancel()
        answer(qtbot, api.request("GET", "/v1/status"))
        assert not heard.values


def test_a_request_finds_the_backend_that_replaced_a_killed_one(qtbot: QtBot, tmp_path: Path) -> None:
    with running(tmp_path / "home") as first, kept(first.home) as api:
        answer(qtbot, api.request("GET", "/v1/status"))
        old_key = first.key("tray")
        first.stop(signal.SIGKILL)
        with running(tmp_path / "home") as second:
            assert second.key("tray") != old_key
            assert answer(qtbot, api.request("GET", "/v1/status"))["version"]


def test_a_request_starts_the_backend_and_waits_for_it(qtbot: QtBot, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with kept(home) as api:
        started = Heard(api.locator.starting)
        answers = Heard(api.request("GET", "/v1/status").done, api.request("GET", "/v1/threads").done)
        try:
            wait(qtbot, lambda: len(answers.values) == 2)
            assert len(started.values) == 1
        finally:
            stop_backend(home)


def test_a_request_that_finds_no_backend_says_why(qtbot: QtBot, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    home.config.write_text("[server]\nport = 'many'\n", "utf-8")
    with kept(home) as api:
        failed = Heard(api.request("GET", "/v1/status").failed)
        wait(qtbot, lambda: bool(failed.values))
    assert failed.last.code == "bad_settings"
    assert "port" in str(failed.last)


def test_a_starter_that_is_missing_is_said(qtbot: QtBot, tmp_path: Path) -> None:
    with kept(Home(tmp_path / "home"), command=(str(tmp_path / "no-such-program"),)) as api:
        failed = Heard(api.request("GET", "/v1/status").failed)
        wait(qtbot, lambda: bool(failed.values))
    assert isinstance(failed.last, BackendUnavailable)
