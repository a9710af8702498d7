"""The tray's menu as a window, for desktops that have no tray."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from hearth_desktop.marks import Check
from hearth_desktop.tray import entries, icon
from hearth_desktop.tray.situation import Link, Situation
from hearth_desktop.tray.wishes import Wishes
from hearth_desktop.widgets import (
    S1,
    S2,
    S3,
    S4,
    button,
    clear,
    column,
    heading,
    holding,
    label,
    order,
    row,
    say,
    set_kind,
)
from hearth_shared.theme import Scheme
from hearth_shared.wire import Thread

_WIDTH = 360
_ICON = 48


class FallbackWindow(QWidget):
    """Shows and emits, like the menu. Closing it ends the app, because nothing else would be left of it."""

    looked_at = Signal()
    """It came to the front: a good moment to look whether there is a tray by now."""

    def __init__(self, wishes: Wishes, scheme: Scheme) -> None:
        super().__init__()
        self._wishes = wishes
        self.setWindowTitle("Hearth")
        self._scheme = scheme
        self._picture = QLabel()
        self._picture.setFixedSize(_ICON, _ICON)
        self._headline = heading("")
        self._about = label(kind="muted")
        self._ask = button("&Ask…", "primary")
        self._start = button("&Start Hearth", "primary")
        self._inbox = button("&Inbox")
        self._local_only = Check("&Local only")
        self._local_only.setToolTip("What is asked in this app never leaves this machine.")
        self._settings = button("Se&ttings…")
        self._pair = button("&Pair a browser…")
        self._guide = button("&Finish setting up…")
        self._quit = button("&Quit", "quiet", hint="Ends this app; Hearth itself goes on for your other doors.")
        self._threads_title = label("Threads", "muted")
        self._threads = column(spacing=0)
        self._build()
        self._connect()
        self.show_situation(Situation())
        self.list_threads([])

    def show_situation(self, situation: Situation) -> None:
        """How Hearth is now."""
        self._picture.setPixmap(icon.pixmap(situation.state, self._scheme, _ICON))
        self._picture.setAccessibleName(str(situation.state))
        self._headline.setText(situation.words)
        can_start = entries.can_start(situation)
        about = situation.trouble if can_start else entries.answers(situation).replace("&&", "&")
        say(self._about, about or "Everything is kept on this machine.")
        self._start.setVisible(can_start)
        set_kind(self._ask, "" if can_start else "primary")
        self._inbox.setText(entries.inbox(situation))
        for needing in (self._inbox, self._pair):
            needing.setEnabled(situation.link is Link.CONNECTED)
        self._local_only.setChecked(situation.local_only)

    def show_scheme(self, scheme: Scheme, situation: Situation) -> None:
        """In the colours of another scheme."""
        self._scheme = scheme
        self.show_situation(situation)

    def list_threads(self, threads: Sequence[Thread]) -> None:
        """The threads used last."""
        clear(self._threads)
        for thread_id, title in entries.titles(threads):
            made = button(title, "quiet")
            made.setProperty("thread", thread_id)
            made.clicked.connect(self._on_thread)
            self._threads.addWidget(made, alignment=Qt.AlignmentFlag.AlignLeft)
        self._threads_title.setVisible(bool(threads))

    def offer_guide(self, offered: bool) -> None:
        """Whether there is anything left to set up."""
        self._guide.setVisible(offered)

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, super().sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.looked_at.emit()

    def retire(self) -> None:
        """Make room for the icon, which is there now."""
        self.hide()
        self.deleteLater()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self._wishes.quit_wanted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.showMinimized()
        else:
            super().keyPressEvent(event)

    def _build(self) -> None:
        words = holding(column(self._headline, self._about, spacing=S1))
        no_tray = label(
            "This desktop shows no tray icons, so Hearth has this window. It moves into a tray once there is one.",
            "muted",
        )
        top = row(self._picture, words, spacing=S3)
        top.setAlignment(self._picture, Qt.AlignmentFlag.AlignTop)
        parts = (top, S2, self._start, self._ask, self._threads_title, self._threads)
        doors = (self._inbox, self._settings, self._pair, self._guide)
        layout = column(*parts, S1, *doors, S1, self._local_only, S2, no_tray, -1, self._quit, margins=S4)
        self.setLayout(layout)
        order([self._start, self._ask, *doors, self._local_only, self._quit])

    def _connect(self) -> None:
        wishes = self._wishes
        self._ask.clicked.connect(wishes.asked)
        self._start.clicked.connect(wishes.start_wanted)
        self._inbox.clicked.connect(wishes.inbox_wanted)
        self._settings.clicked.connect(wishes.settings_wanted)
        self._pair.clicked.connect(wishes.pairing_wanted)
        self._guide.clicked.connect(wishes.guide_wanted)
        self._quit.clicked.connect(wishes.quit_wanted)
        self._local_only.clicked.connect(wishes.local_only_chosen)

    @Slot()
    def _on_thread(self) -> None:
        sender = self.sender()
        if isinstance(sender, QPushButton):
            self._wishes.thread_chosen.emit(str(sender.property("thread")))
