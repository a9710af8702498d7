"""A model server of the person's own: a name, where it is, and whether that is this machine."""

import re
from typing import Final
from urllib.parse import urlsplit

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from hearth_desktop.settings.model import SettingsModel
from hearth_desktop.widgets import S1, S2, S3, Choice, button, column, frame, label, row, say
from hearth_shared.errors import HearthError

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NO_ADDRESS: Final = "Its address begins with http:// or https://, and mostly ends in /v1."
_PLACES: Final = ("this machine", "another machine", "cloud")
_ABOUT: Final = "Connect another server that speaks OpenAI's protocol, such as llama-server or vLLM."


class AddServer(QWidget):
    """Connects one; afterwards it has a section of its own."""

    def __init__(self, model: SettingsModel) -> None:
        super().__init__()
        self._model = model
        self._name = _line("Name", "workshop")
        self._url = _line("Address", "http://192.168.1.20:8000/v1")
        self._where = Choice()
        self._where.addItems(_PLACES)
        self._where.setCurrentText("another machine")
        self._where.setAccessibleName("Where it runs")
        self._add = button("Connect")
        self._said = label(kind="danger")
        entry = row(self._name, self._url, self._where, self._add, spacing=S2)
        entry.setStretch(1, 1)
        self.setLayout(
            column(frame("notice", column(label(_ABOUT), entry, self._said, spacing=S2, margins=S3)), spacing=S1)
        )
        say(self._said, "")
        self._name.setFixedWidth(128)
        for line in (self._name, self._url):
            line.returnPressed.connect(self._on_add)
        self._add.clicked.connect(self._on_add)
        model.refused.connect(self._on_refused)

    @property
    def said(self) -> str:
        """What is wrong with what was entered."""
        return self._said.text()

    def enter(self, name: str, url: str) -> None:
        """As if typed."""
        self._name.setText(name)
        self._url.setText(url)
        self._on_add()

    @Slot()
    def _on_add(self) -> None:
        name, url = self._name.text().strip(), self._url.text().strip()
        fault = why_not(name, url)
        say(self._said, fault, "danger")
        if not fault:
            at = f"providers.{name}"
            self._model.put({f"{at}.url": url, f"{at}.where": self._where.currentText()})
            self._name.clear()
            self._url.clear()

    @Slot(str, object)
    def _on_refused(self, name: str, error: HearthError) -> None:
        if name.startswith("providers."):
            say(self._said, str(error), "danger")


def why_not(name: str, url: str) -> str:
    """What keeps this from being a server; empty for nothing."""
    if not _NAME.fullmatch(name):
        return "Its name needs small letters, digits, - or _, such as workshop."
    try:
        parts = urlsplit(url)
    except ValueError:
        return _NO_ADDRESS
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return _NO_ADDRESS
    return "Put its key under Keys, not into the address." if parts.username or parts.password else ""


def _line(name: str, example: str) -> QLineEdit:
    made = QLineEdit()
    made.setPlaceholderText(example)
    made.setAccessibleName(name)
    return made
