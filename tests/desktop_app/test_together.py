from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from hearth_desktop.net.api import Api
from hearth_desktop.net.locator import Locator
from hearth_desktop.together import Together
from hearth_shared.errors import NotFound
from support.backend import running
from support.qt_waits import Heard, answer, wait

pytestmark = pytest.mark.desktop


def test_answers_come_in_the_order_of_the_requests_or_one_error_does(qtbot: QtBot, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend:
        parent = QObject()
        api = Api(Locator(backend.home, parent), parent)
        paths = ("/v1/status", "/v1/threads", "/v1/keys")
        several = Together([api.request("GET", path) for path in paths], parent)
        done, failed = Heard(several.done), Heard(several.failed)
        wait(qtbot, lambda: bool(done.values))
        status, threads, keys = done.last
        assert (status["state"], threads["threads"]) == ("no model", [])
        assert "openai" in [key["provider"] for key in keys["keys"]]
        assert not failed.values

        wrong = Together([api.request("GET", path) for path in ("/v1/nothing", "/v1/nowhere", "/v1/status")], parent)
        done, failed = Heard(wrong.done), Heard(wrong.failed)
        wait(qtbot, lambda: bool(failed.values))
        answer(qtbot, api.request("GET", "/v1/status"))
        assert len(failed.values) == 1
        assert isinstance(failed.last, NotFound)
        assert not done.values


def test_nothing_is_heard_of_what_was_cancelled(qtbot: QtBot, tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend:
        parent = QObject()
        api = Api(Locator(backend.home, parent), parent)
        several = Together([api.request("GET", "/v1/status"), api.request("GET", "/v1/threads")], parent)
        done, failed = Heard(several.done), Heard(several.failed)
        several.cancel()
        answer(qtbot, api.request("GET", "/v1/status"))
        assert not done.values
        assert not failed.values
