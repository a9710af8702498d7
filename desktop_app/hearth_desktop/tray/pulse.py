"""Keeps the Situation true: asks once when the backend is there, then listens to its events. It never polls."""

from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from hearth_desktop.net.api import Api
from hearth_desktop.net.events import EventStream
from hearth_desktop.together import Together
from hearth_desktop.tray.situation import Link, Situation
from hearth_shared.display import display
from hearth_shared.errors import HearthError
from hearth_shared.wire import ApprovalList, Event, EventType, Status, TaskList, Thread, ThreadList

_OPEN = frozenset({"queued", "running", "waiting"})
_MOVES_THREADS = frozenset({EventType.TASK_QUEUED, EventType.TASK_FINISHED})
_MENU_THREADS = 5


class Pulse(QObject):
    """The backend's state as this app knows it; everything that shows it listens here."""

    changed = Signal(object)
    """The Situation."""
    threads_changed = Signal(list)
    """The threads used last, newest first."""
    told = Signal(object)
    """What an agent wants the person to know, for one line."""

    def __init__(self, api: Api, stream: EventStream, parent: QObject) -> None:
        super().__init__(parent)
        self.situation = Situation()
        self.threads: list[Thread] = []
        self._api = api
        self._asking: Together | None = None
        self._meanwhile: list[Event] = []
        stream.connected.connect(self._on_connected)
        stream.lost.connect(self._on_lost)
        stream.refused.connect(self._on_refused)
        stream.happened.connect(self._on_event)
        api.locator.starting.connect(self._on_starting)
        api.locator.failed.connect(self._on_refused)

    def keep_local(self, local_only: bool) -> None:
        """Show that what is asked here stays on this machine."""
        self._become(self.situation._replace(local_only=local_only))

    @Slot()
    def look(self) -> None:
        """Ask anew: the models, say, after a setting was changed."""
        if self._asking is not None:
            self._asking.cancel()
        self._meanwhile = []
        paths = ("/v1/status", "/v1/approvals?status=pending", "/v1/tasks?limit=50")
        self._asking = Together([self._api.request("GET", path) for path in paths], self)
        self._asking.done.connect(self._on_answers)
        self._asking.failed.connect(self._on_no_answers)

    @Slot()
    def _on_connected(self) -> None:
        self.look()
        self._list_threads()

    @Slot(list)
    def _on_answers(self, answers: list[Any]) -> None:
        self._asking = None
        status: Status = answers[0]
        approvals: ApprovalList = answers[1]
        tasks: TaskList = answers[2]
        pending = [approval["id"] for approval in approvals["approvals"]]
        running = [task for task in tasks["tasks"] if task["status"] in _OPEN]
        situation = self.situation.known(status, pending, running)
        for event in self._meanwhile:  # the answers may be older than what was told while they were on their way
            situation = situation.after(event)
        self._meanwhile = []
        self._become(situation)

    @Slot(object)
    def _on_no_answers(self, _error: HearthError) -> None:
        """The stream tells when the backend is lost, and asks again when it is back."""
        self._asking = None

    @Slot(object)
    def _on_event(self, event: Event) -> None:
        if self._asking is not None:
            self._meanwhile.append(event)
        self._become(self.situation.after(event))
        if event["type"] == EventType.AMBIENT_SUGGESTED:
            self.told.emit(display(str(event["data"].get("text", "")), keep=""))
        if event["type"] in _MOVES_THREADS:
            self._list_threads()

    @Slot()
    def _on_starting(self) -> None:
        if self.situation.link is not Link.CONNECTED:
            self._become(self.situation.apart(Link.STARTING))

    @Slot(object)
    def _on_lost(self, _error: HearthError) -> None:
        link = Link.STARTING if self._api.locator.is_starting else Link.STOPPED
        self._become(
            self.situation.apart(link, "Nothing is lost. It starts when you ask something, or at a word from you.")
        )

    @Slot(object)
    def _on_refused(self, error: HearthError) -> None:
        self._become(self.situation.apart(Link.FAILED, str(error)))

    def _become(self, situation: Situation) -> None:
        if situation != self.situation:
            self.situation = situation
            self.changed.emit(situation)

    def _list_threads(self) -> None:
        self._api.request("GET", f"/v1/threads?limit={_MENU_THREADS}").done.connect(self._on_threads)

    @Slot(object)
    def _on_threads(self, found: ThreadList) -> None:
        if found["threads"] != self.threads:
            self.threads = found["threads"]
            self.threads_changed.emit(self.threads)
