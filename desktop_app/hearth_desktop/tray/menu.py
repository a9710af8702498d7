"""The tray's menu. It shows and emits; nothing is decided here."""

from collections.abc import Sequence

from PySide6.QtCore import SignalInstance, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from hearth_desktop.tray import entries
from hearth_desktop.tray.situation import Link, Situation
from hearth_desktop.tray.wishes import Wishes
from hearth_shared.wire import Thread


class TrayMenu(QMenu):
    """Everything that Hearth can be asked for from the icon."""

    def __init__(self, wishes: Wishes) -> None:
        super().__init__("Hearth")
        self._wishes = wishes
        self._headline = self._line()
        self._answers = self._line()
        self.start = self._add("&Start Hearth", wishes.start_wanted)
        self.addSeparator()
        self._add("&Ask…", wishes.asked)
        self._threads_above = self.addSeparator()
        self._threads: list[QAction] = []
        self._below_threads = self.addSeparator()
        self.inbox = self._add("&Inbox", wishes.inbox_wanted)
        self.local_only = self.addAction("&Local only")
        self.local_only.setCheckable(True)
        self.local_only.setToolTip("What is asked in this app never leaves this machine.")
        self.local_only.triggered.connect(wishes.local_only_chosen)
        self.addSeparator()
        self._add("Se&ttings…", wishes.settings_wanted)
        self.pair = self._add("&Pair a browser…", wishes.pairing_wanted)
        self.guide = self._add("&Finish setting up…", wishes.guide_wanted)
        self.addSeparator()
        self._add("&Quit", wishes.quit_wanted)
        self.show_situation(Situation())
        self.list_threads([])

    def show_situation(self, situation: Situation) -> None:
        """How Hearth is now."""
        self._headline.setText(entries.headline(situation))
        answers = entries.answers(situation)
        self._answers.setText(answers)
        self._answers.setVisible(bool(answers))
        self.start.setVisible(entries.can_start(situation))
        self.inbox.setText(entries.inbox(situation))
        self.inbox.setEnabled(situation.link is Link.CONNECTED)
        self.pair.setEnabled(situation.link is Link.CONNECTED)
        self.local_only.setChecked(situation.local_only)

    def list_threads(self, threads: Sequence[Thread]) -> None:
        """The threads used last."""
        for action in self._threads:
            self.removeAction(action)
            action.deleteLater()
        self._threads = []
        for thread_id, title in entries.titles(threads):
            action = QAction(title, self)
            action.setData(thread_id)
            action.triggered.connect(self._on_thread)
            self.insertAction(self._below_threads, action)
            self._threads.append(action)
        self._threads_above.setVisible(bool(threads))

    def offer_guide(self, offered: bool) -> None:
        """Whether there is anything left to set up."""
        self.guide.setVisible(offered)

    @Slot()
    def _on_thread(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self._wishes.thread_chosen.emit(str(action.data()))

    def _line(self) -> QAction:
        action = self.addAction("")
        action.setEnabled(False)
        return action

    def _add(self, text: str, wanted: SignalInstance) -> QAction:
        action = self.addAction(text)
        action.triggered.connect(wanted)
        return action
