"""How things stand, as far as a person who wants to ask something has to know: no backend, no model. No widget here."""

from typing import Any, NamedTuple

from PySide6.QtCore import QObject, Signal, Slot

from hearth_desktop.net.api import Api
from hearth_desktop.net.events import EventStream
from hearth_shared.errors import HearthError
from hearth_shared.wire import Event, EventType, Status

_TELLS = frozenset({EventType.HEALTH_CHANGED, EventType.MODEL_READY})


class Said(NamedTuple):
    """What happened, what still works, and what to do."""

    text: str
    detail: str = ""
    kind: str = ""
    act: str = ""
    verb: str = ""
    closes: bool = False


class Standing(QObject):
    """Follows the connection and the models; `said` is what is to be shown, None when all is well."""

    changed = Signal()

    def __init__(self, api: Api, events: EventStream, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._api = api
        self.said: Said | None = None
        self.is_offline = not events.is_open
        events.connected.connect(self._on_connected)
        events.lost.connect(self._on_lost)
        events.happened.connect(self._on_event)
        api.locator.starting.connect(self._on_starting)
        api.locator.failed.connect(self._on_failed)
        if events.is_open:
            self._on_connected()
        elif api.locator.is_starting:
            self._on_starting()

    def start(self) -> None:
        """The person wants it to run."""
        self._api.locator.start()

    def _say(self, said: Said | None) -> None:
        if said != self.said:
            self.said = said
            self.changed.emit()

    @Slot()
    def _on_connected(self) -> None:
        self.is_offline = False
        self._say(None)
        self._look()

    def _look(self) -> None:
        self._api.request("GET", "/v1/status").done.connect(self._on_status)

    @Slot(object)
    def _on_status(self, status: Status) -> None:
        if self.is_offline:
            return
        chat = [model for model in status["models"] if "chat" in model["roles"]]
        if chat:
            self._say(None)
        else:
            self._say(
                Said(
                    "No language model is connected.",
                    "Memory, search and answers quoted from what Hearth knows work.",
                    act="models",
                    verb="Connect a model",
                    closes=True,
                )
            )

    @Slot(object)
    def _on_lost(self, _: Any) -> None:
        self.is_offline = True
        if self._api.locator.look() is None and not self._api.locator.is_starting:
            self._say(_STOPPED)

    @Slot()
    def _on_starting(self) -> None:
        self.is_offline = True
        self._say(Said("Starting Hearth…", "What you ask now is sent as soon as it runs."))

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        self.is_offline = True
        detail = f"{error.fix} What you wrote is kept.".strip()
        self._say(Said(error.detail, detail, kind="danger", act="start", verb="Try again"))

    @Slot(object)
    def _on_event(self, event: Event) -> None:
        if event["type"] in _TELLS:
            self._look()


_STOPPED = Said(
    "Hearth is not running.",
    "What is shown here is from before; what you write is kept.",
    kind="info",
    act="start",
    verb="Start Hearth",
)
