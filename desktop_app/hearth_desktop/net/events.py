"""Streams of events that survive the backend's death: each event once, in order, whatever breaks in between.

`hearth_shared.sse.Following` does the thinking: where to go on, and what was seen before. Here are the connection, a
watchdog over its silence, and the pauses between attempts.
"""

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtNetwork import QNetworkReply, QNetworkRequest

from hearth_desktop.net.api import Api, body_of, status_of
from hearth_shared.errors import BackendUnavailable, HearthError, Unauthorized, from_body
from hearth_shared.sse import Following

SILENT_MS = 45_000
"""The backend says something every 15 seconds, if only a comment: three times that is no answer."""
_LONGEST_PAUSE_S = 5.0


class Stream(QObject):
    """Follows one stream until its end, until it is stopped, or until the backend refuses it."""

    happened = Signal(object)
    """A wire.Event. (`event` is a method of every QObject.)"""
    connected = Signal()
    """It is open, for the first time or again. What is told by other means than events should be read anew."""
    lost = Signal(object)
    """A HearthError: the connection broke; it is tried again until `connected`."""
    refused = Signal(object)
    """A HearthError: it is over, without the run's end."""
    ended = Signal()
    """The run has ended, and every event of it was told."""

    def __init__(
        self, api: Api, following: Following, parent: QObject | None = None, *, silent_ms: int = SILENT_MS
    ) -> None:
        super().__init__(parent or api)
        self._api = api
        self._following = following
        self._reply: QNetworkReply | None = None
        self._wanted = False
        self._is_lost = False
        self._is_open = False
        self._again = QTimer(self, singleShot=True)
        self._again.timeout.connect(self._open)
        self._silence = QTimer(self, singleShot=True, interval=silent_ms)
        self._silence.timeout.connect(self._on_silence)
        api.locator.found.connect(self._on_found)

    @property
    def is_open(self) -> bool:
        """Whether events come in now."""
        return self._is_open

    def start(self) -> None:
        """Begin; a backend is started when there is none."""
        if self._wanted:
            return
        self._wanted = True
        if self._api.locator.look() is None:
            self._api.locator.start()
        else:
            self._open()

    def stop(self) -> None:
        """Hear no more of it."""
        self._wanted = False
        self._again.stop()
        self._hang_up()

    @Slot()
    def _on_found(self) -> None:
        if self._wanted and self._reply is None:
            self._again.stop()
            self._open()

    @Slot()
    def _open(self) -> None:
        if not self._wanted or self._reply is not None:
            return
        address = self._api.locator.look()
        if address is None:
            self._api.locator.miss()
            return
        ask = self._following.ask()
        self._reply = reply = self._api.transmit(address, ask.method, ask.path, ask.body, ask.headers, 0)
        reply.readyRead.connect(self._on_data)
        reply.finished.connect(self._on_finished)
        self._silence.start()

    @Slot()
    def _on_data(self) -> None:
        reply = self._reply
        if reply is None or reply.attribute(QNetworkRequest.Attribute.HttpStatusCodeAttribute) != 200:
            return
        self._silence.start()
        self._say_connected()
        self._take(body_of(reply))

    def _take(self, data: bytes) -> None:
        try:
            events = self._following.feed(data)
        except HearthError as error:
            self._end(error)
            return
        except (ValueError, KeyError):
            self._break(BackendUnavailable("What answered is not Hearth.", "Restart it: `hearth down`, `hearth up`."))
            return
        for event in events:
            if self._wanted:  # a listener may stop it
                self.happened.emit(event)
        if self._following.done and self._wanted:
            self._end(None)

    def _say_connected(self) -> None:
        if not self._is_open:
            self._is_open, self._is_lost = True, False
            self.connected.emit()

    @Slot()
    def _on_finished(self) -> None:
        reply = self._reply
        if reply is None:
            return
        status = status_of(reply)
        if status is not None and status >= 400 and (error := from_body(status, body_of(reply))):
            if isinstance(error, Unauthorized) or error.retryable:
                self._break(error)
            else:
                self._end(error)
            return
        self._on_data()
        if self._reply is reply:
            self._break(BackendUnavailable("The connection to Hearth broke.", "It is tried again."))

    @Slot()
    def _on_silence(self) -> None:
        self._break(BackendUnavailable("Hearth does not answer.", "See how it is: `hearth doctor`."))

    def _break(self, error: HearthError) -> None:
        self._hang_up()
        self._api.clear()
        if not self._wanted:
            return
        pause = self._following.pause()
        self._again.start(int(1000 * (_LONGEST_PAUSE_S if pause is None else pause)))
        if not self._is_lost:
            self._is_lost = True
            self.lost.emit(error)

    def _end(self, error: HearthError | None) -> None:
        self.stop()
        if error is None:
            self.ended.emit()
        else:
            self.refused.emit(error)

    def _hang_up(self) -> None:
        self._silence.stop()
        self._is_open = False
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.abort()
            reply.deleteLater()


class EventStream(Stream):
    """Everything that happens, as long as the app runs."""

    def __init__(self, api: Api, parent: QObject | None = None, *, silent_ms: int = SILENT_MS) -> None:
        super().__init__(api, Following("/v1/events", ends=False), parent, silent_ms=silent_ms)


class RunStream(Stream):
    """What happens in one run, from its first event to its last."""

    def __init__(self, api: Api, run_id: str, parent: QObject | None = None, *, silent_ms: int = SILENT_MS) -> None:
        super().__init__(api, Following(f"/v1/tasks/{run_id}/events"), parent, silent_ms=silent_ms)
