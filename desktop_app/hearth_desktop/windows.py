"""Hearth's windows: each is made when it is first wanted, and there is one of each."""

from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QWidget

from hearth_desktop.net.api import Api
from hearth_desktop.net.events import EventStream
from hearth_desktop.preferences import Preferences
from hearth_desktop.theme import Look
from hearth_desktop.tray import icon
from hearth_desktop.tray.pulse import Pulse
from hearth_shared.errors import HearthError
from hearth_shared.theme import State

if TYPE_CHECKING:
    from hearth_desktop.approvals.inbox import InboxWindow
    from hearth_desktop.pairing.window import PairingWindow

Window = TypeVar("Window", bound=QWidget)


class Windows(QObject):
    """Opens them. A module is loaded with its first window: most of them are never needed in a day."""

    def __init__(
        self, api: Api, stream: EventStream, pulse: Pulse, look: Look, preferences: Preferences, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._api = api
        self._stream = stream
        self._pulse = pulse
        self._look = look
        self._preferences = preferences
        self._inbox: InboxWindow | None = None
        self._pairing: PairingWindow | None = None
        look.changed.connect(self._on_look)

    @property
    def is_setup_open(self) -> bool:
        """Whether there is anything left to set up."""
        return True

    @Slot()
    def inbox(self) -> None:
        """What waits for the person."""
        if self._inbox is None:
            from hearth_desktop.approvals.inbox import InboxWindow
            from hearth_desktop.approvals.model import ApprovalModel

            self._inbox = self._dressed(InboxWindow(ApprovalModel(self._api, self._stream, self), self._look))
        self._inbox.choose_waiting()
        _raise(self._inbox)

    @Slot()
    def pair(self) -> None:
        """A code for a browser."""
        if self._pairing is None:
            from hearth_desktop.pairing.model import PairingModel
            from hearth_desktop.pairing.window import PairingWindow

            self._pairing = self._dressed(PairingWindow(PairingModel(self._api, self)))
        self._pairing.begin()
        _raise(self._pairing)

    def close(self) -> None:
        """All of them."""
        for window in self._open():
            window.close()
            window.deleteLater()

    def _open(self) -> list[QWidget]:
        return [window for window in (self._inbox, self._pairing) if window is not None]

    @Slot()
    def chat(self) -> None:
        """The conversation."""

    @Slot()
    def ask(self, text: str = "") -> None:
        """A new question."""

    @Slot(str)
    def show_thread(self, thread_id: str) -> None:
        """One thread."""

    @Slot()
    def toggle_chat(self) -> None:
        """Show the conversation, or put it away."""

    @Slot()
    def settings(self) -> None:
        """How Hearth behaves."""

    @Slot()
    def guide(self) -> None:
        """What is left to set up."""

    def tell(self, error: HearthError) -> None:
        """Something that no window is there to say."""

    def _dressed(self, window: "Window") -> "Window":
        window.setWindowIcon(icon.icon(State.THINKING, self._look.scheme))
        return window

    @Slot()
    def _on_look(self) -> None:
        for window in self._open():
            window.setWindowIcon(icon.icon(State.THINKING, self._look.scheme))


def _raise(window: QWidget) -> None:
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
