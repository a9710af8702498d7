"""Approvals over time: too old, and over a backend that dies."""

import signal
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from hearth_desktop.approvals.model import ApprovalModel
from hearth_desktop.net.api import Api
from hearth_desktop.net.events import EventStream
from hearth_desktop.net.locator import Locator
from support.asking_backend import asking
from support.qt_pairs import HeardPairs
from support.qt_waits import Heard, wait

pytestmark = pytest.mark.desktop
_AT_ONCE = {"HEARTH_RUNS__APPROVAL_DAYS": "0.000002"}


def test_one_whose_time_is_over_is_told_without_anybody_asking(qtbot: QtBot, tmp_path: Path) -> None:
    with asking(tmp_path / "home", _AT_ONCE) as backend:
        parent = QObject()
        api = Api(Locator(backend.home, parent), parent)
        stream = EventStream(api, parent)
        model = ApprovalModel(api, stream, parent)
        stream.start()
        wait(qtbot, lambda: model.is_loaded)
        approval_id = backend.ask()["id"]
        wait(qtbot, lambda: [one["status"] for one in model.approvals] == ["expired"])
        refused = HeardPairs(model.refused)
        model.decide(approval_id, {"decision": "accept"})
        wait(qtbot, lambda: bool(refused.values))
        assert refused.values[0][1].data["winner"] == "expiry"
        stream.stop()


def test_what_waits_is_there_again_when_the_backend_is(qtbot: QtBot, tmp_path: Path) -> None:
    parent = QObject()
    with asking(tmp_path / "home") as backend:
        api = Api(Locator(backend.home, parent), parent)
        stream = EventStream(api, parent)
        model = ApprovalModel(api, stream, parent)
        stream.start()
        wait(qtbot, lambda: model.is_loaded)
        backend.ask()
        wait(qtbot, lambda: len(model.pending) == 1)
        lost = Heard(stream.lost)
        backend.stop(signal.SIGKILL)
        wait(qtbot, lambda: bool(lost.values))
    with asking(tmp_path / "home") as backend:
        wait(qtbot, lambda: stream.is_open)
        backend.ask()
        wait(qtbot, lambda: len(model.pending) == 2)
        stream.stop()
