"""Hearth's windows: each is made when it is first wanted, and there is one of each."""

from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from hearth_desktop.guide.steps import is_complete
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
    from hearth_desktop.chat.window import ChatWindow
    from hearth_desktop.guide.window import GuideWindow
    from hearth_desktop.pairing.window import PairingWindow
    from hearth_desktop.settings.dialog import SettingsWindow
    from hearth_desktop.settings.model import SettingsModel

Window = TypeVar("Window", bound=QWidget)


class Windows(QObject):
    """Opens them. A module is loaded with its first window: most of them are not needed on most days."""

    def __init__(
        self, api: Api, stream: EventStream, pulse: Pulse, look: Look, preferences: Preferences, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._api = api
        self._stream = stream
        self._pulse = pulse
        self._look = look
        self._preferences = preferences
        self._options: SettingsModel | None = None
        self._chat: ChatWindow | None = None
        self._inbox: InboxWindow | None = None
        self._pairing: PairingWindow | None = None
        self._settings: SettingsWindow | None = None
        self._guide: GuideWindow | None = None
        look.changed.connect(self._on_look)
        preferences.changed.connect(self._on_choices)

    @property
    def is_setup_open(self) -> bool:
        """Whether there is anything left to set up."""
        return not is_complete(self._preferences.choices.passed)

    @Slot()
    def chat(self) -> None:
        """The conversation."""
        _raise(self._chat_window())

    @Slot()
    def ask(self, text: str = "") -> None:
        """A new question."""
        window = self._chat_window()
        window.ask(text)
        _raise(window)

    @Slot(str)
    def show_thread(self, thread_id: str) -> None:
        """One thread."""
        window = self._chat_window()
        window.open_thread(thread_id)
        _raise(window)

    @Slot()
    def toggle_chat(self) -> None:
        """Show the conversation, or put it away."""
        if self._chat is not None and self._chat.isVisible() and not self._chat.isMinimized():
            self._chat.close()
        else:
            self.chat()

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

    @Slot()
    def settings(self) -> None:
        """How Hearth behaves."""
        _raise(self._settings_window())

    @Slot()
    def keys(self) -> None:
        """The settings, at the keys."""
        window = self._settings_window()
        window.go("Keys")
        _raise(window)

    @Slot()
    def guide(self) -> None:
        """What is left to set up."""
        if self._guide is None:
            from hearth_desktop.guide.model import GuideModel
            from hearth_desktop.guide.window import GuideWindow

            model = GuideModel(self._api, self._settings_model(), self._preferences, self)
            home = self._api.locator.home
            self._guide = self._dressed(GuideWindow(model, home, self._look.scheme))
            self._guide.pairing_wanted.connect(self.pair)
            self._guide.keys_wanted.connect(self.keys)
            self._guide.asked.connect(self.ask)
            self._stream.connected.connect(self._guide.look_again)
        self._guide.begin()
        _raise(self._guide)

    @Slot(bool)
    def keep_local(self, local_only: bool) -> None:
        """One switch, in the menu, in the settings and under the question."""
        try:
            self._preferences.choose(self._preferences.choices._replace(local_only=local_only))
        except HearthError as error:
            self.tell(error)

    def tell(self, error: HearthError) -> None:
        """Something that no window is there to say."""
        box = QMessageBox(QMessageBox.Icon.NoIcon, "Hearth", error.detail)
        box.setInformativeText(error.fix)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.show()

    def close(self) -> None:
        """All of them."""
        for window in self._open():
            window.close()
            window.deleteLater()

    def _chat_window(self) -> "ChatWindow":
        if self._chat is None:
            from hearth_desktop.chat.window import ChatWindow

            self._chat = self._dressed(ChatWindow(self._api, self._stream, self._look))
            self._chat.settings_wanted.connect(self.settings)
            self._chat.composer.local.clicked.connect(self.keep_local)
            self._on_choices()
        return self._chat

    def _settings_window(self) -> "SettingsWindow":
        if self._settings is None:
            from hearth_desktop.settings.dialog import SettingsWindow

            model = self._settings_model()
            self._settings = self._dressed(SettingsWindow(model, self._api, self._preferences, self._look))
        self._settings.load()
        return self._settings

    def _settings_model(self) -> "SettingsModel":
        if self._options is None:
            from hearth_desktop.settings.model import SettingsModel

            self._options = SettingsModel(self._api, self)
        return self._options

    def _open(self) -> list[QWidget]:
        windows = (self._chat, self._inbox, self._pairing, self._settings, self._guide)
        return [window for window in windows if window is not None]

    def _dressed(self, window: Window) -> Window:
        window.setWindowIcon(icon.icon(State.THINKING, self._look.scheme))
        return window

    @Slot()
    def _on_choices(self) -> None:
        if self._chat is not None:
            self._chat.set_local_only(self._preferences.choices.local_only)

    @Slot()
    def _on_look(self) -> None:
        for window in self._open():
            self._dressed(window)
        if self._guide is not None:
            self._guide.show_scheme(self._look.scheme)


def _raise(window: QWidget) -> None:
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
