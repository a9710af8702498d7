"""The approvals as this app knows them: asked for once, then kept true by events; decisions go out from here."""

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from hearth_desktop.net.api import Api, Reply
from hearth_desktop.net.events import EventStream
from hearth_shared.errors import HearthError
from hearth_shared.wire import Approval, ApprovalList, DecisionRequest, Event, EventType

_TELLING: Final = frozenset({EventType.APPROVAL_REQUESTED, EventType.APPROVAL_DECIDED, EventType.APPROVAL_EXPIRED})
_LONGEST_TIMER_S: Final = 86_400.0


class ApprovalModel(QObject):
    """`approvals` holds what waits first, then what was decided."""

    changed = Signal()
    failed = Signal(object)
    """A HearthError: the list could not be had."""
    decided = Signal(object)
    """An Approval, as it was decided here."""
    refused = Signal(str, object)
    """The id, and the HearthError that says why the decision did not count: a Conflict names who was first."""

    def __init__(
        self, api: Api, stream: EventStream, parent: QObject, *, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(parent)
        self.approvals: list[Approval] = []
        self.is_loaded = False
        self.clock = clock
        self._api = api
        self._loading: Reply | None = None
        self._load_again = False
        self._next_end = QTimer(self, singleShot=True)
        self._next_end.timeout.connect(self.load)
        stream.connected.connect(self.load)
        stream.happened.connect(self._on_event)

    @property
    def pending(self) -> list[Approval]:
        """Those that wait."""
        return [approval for approval in self.approvals if approval["status"] == "pending"]

    def find(self, approval_id: str) -> Approval | None:
        """One of them."""
        return next((approval for approval in self.approvals if approval["id"] == approval_id), None)

    @Slot()
    def load(self) -> None:
        """Ask for all of them; once more when something happens meanwhile."""
        if self._loading is not None:
            self._load_again = True
            return
        self._loading = self._api.request("GET", "/v1/approvals")
        self._loading.done.connect(self._on_list)
        self._loading.failed.connect(self._on_no_list)

    def decide(self, approval_id: str, decision: DecisionRequest) -> None:
        """Once: the backend takes the first answer, whoever gives it."""
        _Decision(self._api.request("POST", f"/v1/approvals/{approval_id}", decision), approval_id, self)

    def take(self, approval: Approval) -> None:
        """As the backend keeps it now."""
        self.approvals = [approval if known["id"] == approval["id"] else known for known in self.approvals]
        self.changed.emit()
        self.decided.emit(approval)

    def refuse(self, approval_id: str, error: HearthError) -> None:
        """The decision did not count; the list tells what holds instead."""
        self.refused.emit(approval_id, error)
        self.load()

    @Slot(object)
    def _on_event(self, event: Event) -> None:
        if event["type"] in _TELLING:
            self.load()

    @Slot(object)
    def _on_list(self, found: ApprovalList) -> None:
        self._loading = None
        self.is_loaded = True
        self.approvals = found["approvals"]
        self._wait_for_end()
        self.changed.emit()
        if self._load_again:
            self._load_again = False
            self.load()

    @Slot(object)
    def _on_no_list(self, error: HearthError) -> None:
        self._loading, self._load_again = None, False
        self.failed.emit(error)

    def _wait_for_end(self) -> None:
        """A card must not stay open when its time is over; there is a timer only while one is."""
        ends = [approval["expires_at"] for approval in self.pending]
        if not ends:
            self._next_end.stop()
            return
        left = min(max(min(ends) - self.clock(), 0) + 1, _LONGEST_TIMER_S)
        self._next_end.start(int(left * 1000))


class _Decision(QObject):
    """One answer on its way."""

    def __init__(self, reply: Reply, approval_id: str, model: ApprovalModel) -> None:
        super().__init__(model)
        self._id = approval_id
        self._model = model
        reply.done.connect(self._on_done)
        reply.failed.connect(self._on_failed)

    @Slot(object)
    def _on_done(self, approval: Approval) -> None:
        self._model.take(approval)
        self.deleteLater()

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        self._model.refuse(self._id, error)
        self.deleteLater()
