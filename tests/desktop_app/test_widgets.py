"""The calls that every window is made of leave None, True and False alone: the guard of each new PySide6.

A binding that drops one reference at each call that returns None ends the process after some thousand of them.
"""

import sys
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import (
    QAbstractTableModel,
    QEventLoop,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QAction, QColor, QFont, QIcon, QPaintEvent, QStandardItemModel, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QTableView, QTextBrowser, QWidget

pytestmark = pytest.mark.desktop
Index = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()
SINGLETONS = (None, True, False)


class Emitter(QObject):
    fired = Signal(int)

    @Slot(int)
    def on(self, _: int) -> None: ...


class Painted(QWidget):
    def paintEvent(self, event: QPaintEvent) -> None: ...


class Model(QAbstractTableModel):
    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 3

    def columnCount(self, parent: Index = NO_INDEX) -> int:
        return 3

    def data(self, index: Index, role: int = 0) -> Any:
        return None


class Probes:
    """Objects that stay, and the calls on them."""

    def __init__(self, app: QApplication) -> None:
        self.app = app
        self.browser, self.label, self.edit = QTextBrowser(), QLabel(), QLineEdit()
        self.timer, self.action, self.thing = QTimer(), QAction(), QObject()
        self.emitter, self.painted, self.model = Emitter(), Painted(), Model()
        self.table, self.items, self.format = QTableView(), QStandardItemModel(), QTextCharFormat()
        self.document = self.browser.document()
        self.cursor = QTextCursor(self.document)
        self.table.setModel(self.model)
        self.emitter.fired.connect(self.emitter.on)
        self.browser.show()
        self.painted.show()

    def calls(self) -> dict[str, Callable[[], object]]:
        return {**self._of_text(), **self._of_widgets(), **self._of_objects()}

    def _of_text(self) -> dict[str, Callable[[], object]]:
        cursor, document, made = self.cursor, self.document, self.format
        return {
            "documentSize": lambda: document.documentLayout().documentSize(),
            "QTextCursor": lambda: QTextCursor(document),
            "movePosition": lambda: cursor.movePosition(QTextCursor.MoveOperation.End),
            "setPosition": lambda: cursor.setPosition(0),
            "insertText": lambda: cursor.insertText("x"),
            "insertText with a format": lambda: cursor.insertText("x", made),
            "insertBlock": cursor.insertBlock,
            "an edit block": lambda: (cursor.beginEditBlock(), cursor.endEditBlock()),
            "block": lambda: cursor.block().blockFormat().intProperty(1),
            "setPlainText": lambda: self.browser.setPlainText("x"),
            "QFont": lambda: QFont("DejaVu Sans"),
            "setForeground": lambda: QTextCharFormat().setForeground(QColor("red")),
        }

    def _of_widgets(self) -> dict[str, Callable[[], object]]:
        bar = self.browser.verticalScrollBar()
        return {
            "processEvents": lambda: self.app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents),
            "scroll": lambda: bar.setValue(1),
            "label text": lambda: self.label.setText("x"),
            "line text": lambda: self.edit.setText("x"),
            "title": lambda: self.painted.setWindowTitle("x"),
            "resize": lambda: self.painted.resize(100, 100),
            "repaint": self.painted.repaint,
            "grab": self.table.grab,
            "isVisible": self.painted.isVisible,
            "QIcon": QIcon,
            "clipboard": lambda: self.app.clipboard().text(),
        }

    def _of_objects(self) -> dict[str, Callable[[], object]]:
        emitter, thing = self.emitter, self.thing
        return {
            "signal to slot": lambda: emitter.fired.emit(1),
            "connect and disconnect": lambda: (
                emitter.fired.disconnect(emitter.on),
                emitter.fired.connect(emitter.on),
            ),
            "timer": lambda: self.timer.start(100_000),
            "action text": lambda: self.action.setText("x"),
            "setProperty": lambda: thing.setProperty("a", 1),
            "no parent": thing.parent,
            "no item": lambda: self.items.item(5, 5),
            "signalsBlocked": thing.signalsBlocked,
            "data is None": lambda: self.model.data(self.model.index(0, 0)),
            "index data": lambda: self.model.index(0, 0).data(),
        }


def drift(call: Callable[[], object]) -> list[float]:
    """How many references to each singleton a call adds or drops."""
    call()
    before = [sys.getrefcount(one) for one in SINGLETONS]
    for _ in range(200):
        call()
    return [(sys.getrefcount(one) - was) / 200 for one, was in zip(SINGLETONS, before, strict=True)]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None, True and False are immortal (PEP 683)")
def test_no_call_changes_the_reference_counts_of_the_singletons(qapp: QApplication) -> None:
    probes = Probes(qapp)
    cushion = [[one] * 100_000 for one in SINGLETONS]  # a broken binding fails the test, not the process
    drifts = {name: drift(call) for name, call in probes.calls().items()}
    bad = {name: found for name, found in drifts.items() if any(abs(one) > 0.1 for one in found)}
    assert not bad
    assert len(cushion) == 3
    probes.browser.close()
    probes.painted.close()


def test_a_call_that_drops_references_would_be_found() -> None:
    kept: list[object] = []
    assert drift(lambda: kept.append(None))[0] == pytest.approx(1, abs=0.1)
