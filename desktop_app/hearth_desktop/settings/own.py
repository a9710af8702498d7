"""What concerns this app alone: four switches, each with what it does."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from hearth_desktop import desktop_entry
from hearth_desktop.marks import Check
from hearth_desktop.preferences import Preferences
from hearth_desktop.theme import Look
from hearth_desktop.tray import icon
from hearth_desktop.widgets import S1, S4, Choice, column, holding, label, row, say
from hearth_shared.errors import HomeError
from hearth_shared.theme import Scheme

_LOGIN: Final = "Its icon appears when you log in, and Hearth is started with it."
_CLOSE: Final = (
    "Closing the last window leaves the icon in the tray. Off: closing it ends this app. Hearth itself goes on."
)
_MENU: Final = "Hearth stands in your menu of applications, with Ask and Inbox as its actions."
_LOCAL: Final = "What is asked in this app never leaves this machine, whichever models are connected."

_SCHEMES: Final = (
    ("As the system", ""),
    ("Light", Scheme.LIGHT.value),
    ("Dark", Scheme.DARK.value),
    ("Light, high contrast", Scheme.LIGHT_CONTRAST.value),
    ("Dark, high contrast", Scheme.DARK_CONTRAST.value),
)


class OwnPage(QWidget):
    """Launch at login and close to tray are separate things, and are shown as such."""

    def __init__(self, preferences: Preferences, look: Look, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        self._preferences = preferences
        self._look = look
        self._environ = environ
        self.places = desktop_entry.places(environ, Path.home())
        self.login = Check("Launch at login")
        self.close_to_tray = Check("Close to tray")
        self.applications = Check("Show among the applications")
        self.local_only = Check("Local only")
        self.scheme = Choice()
        for text, scheme in _SCHEMES:
            self.scheme.addItem(text, scheme)
        self.scheme.setAccessibleName("Appearance")
        self._trouble = label(kind="danger")
        switches = (
            (self.login, _LOGIN),
            (self.close_to_tray, _CLOSE),
            (self.applications, _MENU),
            (self.local_only, _LOCAL),
        )
        parts = [_explained(switch, words) for switch, words in switches]
        look_row = row(label("Appearance"), self.scheme, -1)
        self.setLayout(column(self._trouble, *parts, look_row, -1, spacing=S4))
        self.login.clicked.connect(self._on_login)
        self.applications.clicked.connect(self._on_applications)
        self.close_to_tray.clicked.connect(self._on_choice)
        self.local_only.clicked.connect(self._on_choice)
        self.scheme.activated.connect(self._on_choice)
        preferences.changed.connect(self.load)
        self.load()

    @Slot()
    def load(self) -> None:
        """As things are: the two files may have been changed by the desktop's own settings."""
        say(self._trouble, "")
        choices = self._preferences.choices
        self.close_to_tray.setChecked(choices.close_to_tray)
        self.local_only.setChecked(choices.local_only)
        self.scheme.setCurrentIndex(max(self.scheme.findData(choices.scheme), 0))
        self.login.setChecked(self.places.autostart.exists())
        self.applications.setChecked(self.places.applications.exists())

    @Slot(bool)
    def _on_login(self, wanted: bool) -> None:
        self._try(self.places.autostart, desktop_entry.autostart(self._start()) if wanted else None)

    @Slot(bool)
    def _on_applications(self, wanted: bool) -> None:
        self._try(self.places.icons, icon.svg(self._look.scheme) if wanted else None)
        self._try(self.places.applications, desktop_entry.application(self._start()) if wanted else None)

    @Slot()
    def _on_choice(self) -> None:
        choices = self._preferences.choices._replace(
            close_to_tray=self.close_to_tray.isChecked(),
            local_only=self.local_only.isChecked(),
            scheme=str(self.scheme.currentData()),
        )
        try:
            self._preferences.choose(choices)
        except HomeError as error:
            say(self._trouble, str(error), "danger")

    def _start(self) -> list[str]:
        return desktop_entry.command(self._environ)

    def _try(self, path: Path, text: str | None) -> None:
        try:
            if text is None:
                desktop_entry.remove(path)
            else:
                desktop_entry.write(path, text)
        except HomeError as error:
            self.load()
            say(self._trouble, str(error), "danger")


def _explained(switch: Check, words: str) -> QWidget:
    switch.setAccessibleDescription(words)
    about = label(words, "muted")
    about.setIndent(28)
    return holding(column(switch, about, spacing=S1))
