"""A pairing from its code to its end; it asks the backend to tell, and never polls."""

from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from hearth_desktop.net.api import Api, Reply
from hearth_shared.errors import HearthError
from hearth_shared.wire import Pairing

PATH: Final = "/v1/clients/pairing"
_WAIT_S: Final = 900.0


class PairingModel(QObject):
    """`pairing` is what the backend said last; None while the first answer is on its way."""

    changed = Signal()
    failed = Signal(object)
    """A HearthError."""

    def __init__(self, api: Api, parent: QObject) -> None:
        super().__init__(parent)
        self.pairing: Pairing | None = None
        self._api = api
        self._reply: Reply | None = None

    @property
    def is_open(self) -> bool:
        """Whether the code can be used."""
        return self.pairing is not None and self.pairing["state"] == "open"

    def begin(self) -> None:
        """A new code; an older one is good no more."""
        self._drop()
        self.pairing = None
        self.changed.emit()
        self._reply = self._api.request("POST", PATH, {})
        self._reply.done.connect(self._on_state)
        self._reply.failed.connect(self._on_failed)

    def end(self) -> None:
        """Nobody looks at the code any more: it must not stay good."""
        was_open = self.is_open
        self._drop()
        self.pairing = None
        if was_open:
            self._api.request("DELETE", PATH)

    @Slot(object)
    def _on_state(self, pairing: Pairing) -> None:
        self._reply = None
        self.pairing = pairing
        self.changed.emit()
        if self.is_open:
            self._reply = self._api.request("GET", f"{PATH}?wait=true", limit_s=_WAIT_S)
            self._reply.done.connect(self._on_state)
            self._reply.failed.connect(self._on_failed)

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        """A backend that ended took the pairing with it."""
        self._reply = None
        self.pairing = None
        self.failed.emit(error)

    def _drop(self) -> None:
        if self._reply is not None:
            self._reply.cancel()
            self._reply = None
