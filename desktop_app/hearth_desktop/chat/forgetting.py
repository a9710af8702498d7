"""Forgetting a memory, and taking that back. No widget is known here."""

from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from hearth_desktop.net.api import Api
from hearth_shared.wire import Forgotten


class Forgetting(QObject):
    """One at a time. The backend keeps what was forgotten for a while; here only how to take the last one back."""

    forgot = Signal(object, bool)
    """What the backend forgot (Forgotten), and whether it can be taken back."""
    restored = Signal()
    failed = Signal(object)
    """A HearthError."""

    def __init__(self, api: Api, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._api = api
        self._undo = ""

    def forget(self, memory_id: str) -> None:
        """In every door."""
        reply = self._api.request("POST", "/v1/memory/forget", {"ids": [memory_id]})
        reply.done.connect(self._on_forgotten)
        reply.failed.connect(self.failed)

    def restore(self) -> None:
        """Bring back what was forgotten last, with all that rested on it."""
        undo, self._undo = self._undo, ""
        reply = self._api.request("POST", "/v1/memory/restore", {"undo_id": undo})
        reply.done.connect(self._on_restored)
        reply.failed.connect(self.failed)

    @Slot(object)
    def _on_forgotten(self, forgotten: Forgotten) -> None:
        self._undo = forgotten["undo_id"]
        self.forgot.emit(forgotten, bool(self._undo))

    @Slot(object)
    def _on_restored(self, _: Any) -> None:
        self.restored.emit()
