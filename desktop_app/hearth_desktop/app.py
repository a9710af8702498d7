"""The tray app, put together. The icon comes first; everything else is made once it is there, a step at a time."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QApplication

from hearth_desktop import failures
from hearth_desktop.preferences import Preferences
from hearth_desktop.start.arrivals import Arrivals
from hearth_desktop.start.commands import Command
from hearth_desktop.start.seat import Seat
from hearth_desktop.tray.menu import TrayMenu
from hearth_desktop.tray.situation import Situation
from hearth_desktop.tray.tray import Tray
from hearth_desktop.tray.wishes import Wishes
from hearth_shared.paths import Home
from hearth_shared.theme import Scheme

if TYPE_CHECKING:
    from hearth_desktop.shell import Shell

APP_ID: Final = "dev.hearth.Desktop"
_AFTER_ICON_MS: Final = 50
"""What a panel needs to take the icon in; what comes then would only delay it."""


def run_app(home: Home, seat: Seat, command: Command | None) -> int:
    """Until the person quits; the exit status."""
    failures.speak_plainly()
    application = QApplication(["hearth"])
    application.setApplicationName("hearth")
    application.setApplicationDisplayName("Hearth")
    application.setDesktopFileName(APP_ID)
    application.setQuitOnLastWindowClosed(False)
    app = App(application, home, seat, command)
    app.begin()
    status = application.exec()
    app.end()
    return status


class App(QObject):
    """What is there from the first moment: icon, menu, choices. `shell` is made after it."""

    def __init__(self, application: QApplication, home: Home, seat: Seat, command: Command | None) -> None:
        super().__init__(application)
        self._application = application
        self._home = home
        self._seat = seat
        self._command = command
        self.preferences = Preferences(home, self)
        self.wishes = Wishes(self)
        self.menu = TrayMenu(self.wishes)
        self.tray = Tray(self.menu, Scheme.LIGHT, self)
        self.tray.pressed.connect(self._on_pressed)
        self.shell: Shell | None = None
        self._steps: deque[Callable[[], None]] = deque((self._dress, self._open_shell, self._listen))
        self._arrivals: Arrivals | None = None

    def begin(self) -> None:
        """The icon, at once; the rest when Qt has nothing better to do."""
        self.tray.show_situation(Situation(local_only=self.preferences.choices.local_only))
        self.tray.show()
        QTimer.singleShot(_AFTER_ICON_MS, self._next_step)

    def end(self) -> None:
        """Let go of everything; the backend stays as it is."""
        self._steps.clear()
        if self._arrivals is not None:
            self._arrivals.close()
        if self.shell is not None:
            self.shell.close()
        self.tray.hide()

    @Slot()
    def _next_step(self) -> None:
        if self._steps:
            self._steps.popleft()()
            QTimer.singleShot(0, self._next_step)

    @Slot()
    def _on_pressed(self) -> None:
        """Somebody is quicker than the shell: what they want is done as soon as it is there."""
        if self.shell is None:
            self._command = Command("show")
        else:
            self.shell.press()

    def _dress(self) -> None:
        from hearth_desktop import theme  # with all the enums of Qt: 40 ms, which the icon must not wait for

        chosen = self.preferences.choices.scheme
        self._look = theme.apply(self._application, Scheme(chosen) if chosen else None)
        self.tray.show_scheme(self._look.scheme)

    def _open_shell(self) -> None:
        # QtNetwork and what stands on it cost 30 ms, which the icon must not wait for.
        from hearth_desktop.shell import Face, Shell

        face = Face(self.preferences, self.tray, self.menu, self.wishes)
        self.shell = Shell(self._application, self._home, self._look, face, self)
        self.shell.begin(self._command)

    def _listen(self) -> None:
        self._arrivals = Arrivals(self._seat.arrivals, self)
        if self.shell is not None:
            self._arrivals.wished.connect(self.shell.do)
