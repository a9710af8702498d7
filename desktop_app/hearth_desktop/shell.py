"""Joins the backend, the icon and the windows: what is told goes to what shows it, what is wished to what does it."""

from typing import NamedTuple

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QApplication

from hearth_desktop.interrupts import Interrupts
from hearth_desktop.net.api import Api
from hearth_desktop.net.events import EventStream
from hearth_desktop.net.locator import Locator
from hearth_desktop.preferences import Preferences
from hearth_desktop.start.commands import Command
from hearth_desktop.theme import Look
from hearth_desktop.tray.fallback import FallbackWindow
from hearth_desktop.tray.menu import TrayMenu
from hearth_desktop.tray.pulse import Pulse
from hearth_desktop.tray.situation import Situation
from hearth_desktop.tray.tray import Tray
from hearth_desktop.tray.wishes import Wishes
from hearth_desktop.windows import Windows
from hearth_shared.paths import Home
from hearth_shared.theme import Scheme


class Face(NamedTuple):
    """What was there before: the icon with its menu, and the person's choices."""

    preferences: Preferences
    tray: Tray
    menu: TrayMenu
    wishes: Wishes


class Shell(QObject):
    """Everything that is made once the icon is there."""

    def __init__(self, application: QApplication, home: Home, look: Look, face: Face, parent: QObject) -> None:
        super().__init__(parent)
        self._application = application
        self._look = look
        self._preferences, self._tray, self._menu, self._wishes = face
        self.locator = Locator(home, self)
        self.api = Api(self.locator, self)
        self.stream = EventStream(self.api, self)
        self.pulse = Pulse(self.api, self.stream, self)
        self.windows = Windows(self.api, self.stream, self.pulse, look, self._preferences, self)
        self._interrupts = Interrupts(self)
        self.fallback: FallbackWindow | None = None
        self._connect()

    def begin(self, command: Command | None) -> None:
        """Find the backend, or have it started; show what the command line asks for."""
        self._on_choices()
        self.stream.start()
        if not self._tray.is_available:
            self._stand_in(minimised=command is None)
        if command is None:
            return
        if command.do == "show" and not self._preferences.choices.guide_seen:
            self.windows.guide()
        elif command.do != "show" or self._tray.is_available:
            self.do(command)

    def close(self) -> None:
        """Hang up."""
        self.stream.stop()
        self.windows.close()
        if self.fallback is not None:
            self.fallback.deleteLater()
            self.fallback = None
        self._interrupts.close()

    @Slot(object)
    def do(self, command: Command) -> None:
        """A wish from a command line."""
        match command.do:
            case "toggle":
                self.windows.toggle_chat()
            case "ask":
                self.windows.ask(command.text)
            case "inbox":
                self.windows.inbox()
            case "settings":
                self.windows.settings()
            case "quit":
                self._application.quit()
            case _:
                self.windows.chat()

    def press(self) -> None:
        """The icon was chosen."""
        if self.pulse.situation.pending:
            self.windows.inbox()
        else:
            self.windows.toggle_chat()

    def _connect(self) -> None:
        wishes, windows = self._wishes, self.windows
        wishes.asked.connect(windows.ask)
        wishes.thread_chosen.connect(windows.show_thread)
        wishes.inbox_wanted.connect(windows.inbox)
        wishes.settings_wanted.connect(windows.settings)
        wishes.pairing_wanted.connect(windows.pair)
        wishes.guide_wanted.connect(windows.guide)
        wishes.start_wanted.connect(self._start)
        wishes.local_only_chosen.connect(windows.keep_local)
        wishes.quit_wanted.connect(self._application.quit)
        self._interrupts.came.connect(self._application.quit)
        self.pulse.changed.connect(self._on_situation)
        self.pulse.threads_changed.connect(self._menu.list_threads)
        self.pulse.told.connect(self._tray.tell)
        self._preferences.changed.connect(self._on_choices)
        self._look.changed.connect(self._on_look)
        self._application.lastWindowClosed.connect(self._on_last_window)

    @Slot()
    def _start(self) -> None:
        self.locator.start()

    @Slot()
    def _on_choices(self) -> None:
        choices = self._preferences.choices
        self._look.choose(Scheme(choices.scheme) if choices.scheme else None)
        self.pulse.keep_local(choices.local_only)
        self._on_situation(self.pulse.situation)
        offered = self.windows.is_setup_open
        self._menu.offer_guide(offered)
        if self.fallback is not None:
            self.fallback.offer_guide(offered)

    @Slot(object)
    def _on_situation(self, situation: Situation) -> None:
        self._tray.show_situation(situation)
        self._menu.show_situation(situation)
        if self.fallback is not None:
            self.fallback.show_situation(situation)

    @Slot()
    def _on_look(self) -> None:
        self._tray.show_scheme(self._look.scheme)
        if self.fallback is not None:
            self.fallback.show_scheme(self._look.scheme, self.pulse.situation)

    @Slot()
    def _on_last_window(self) -> None:
        """Without a tray nothing would be left that the person could open again."""
        if not (self._preferences.choices.close_to_tray and self._tray.is_available):
            self._application.quit()

    def _stand_in(self, *, minimised: bool) -> None:
        from hearth_desktop.tray.arrival import TrayArrival  # QtDBus: only where there is no tray

        self.fallback = FallbackWindow(self._wishes, self._look.scheme)
        self.pulse.threads_changed.connect(self.fallback.list_threads)
        self.fallback.looked_at.connect(self._on_tray_came)
        arrival = TrayArrival(self)
        arrival.came.connect(self._on_tray_came)
        self._on_choices()
        self.fallback.showMinimized() if minimised else self.fallback.show()

    @Slot()
    def _on_tray_came(self) -> None:
        fallback = self.fallback
        if fallback is not None and self._tray.is_available:
            self.fallback = None
            self._tray.renew()
            fallback.retire()
