"""One question under way: sent once, answered by a run that is followed to its end."""

import os
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QObject, Signal, Slot

from hearth_desktop.chat.transcript import Transcript
from hearth_desktop.net.api import Api, Reply
from hearth_desktop.net.events import RunStream
from hearth_shared.errors import HearthError
from hearth_shared.wire import Event, FileText

SEND_S: Final = 120.0
"""Sending includes the start of the backend, when there is none."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the person sends."""

    text: str
    files: tuple[FileText, ...] = ()
    local_only: bool = False

    def body(self) -> dict[str, Any]:
        """As the route wants it."""
        return {"text": self.text, "context": {"files": list(self.files)}, "local_only": self.local_only}


class Sending(QObject):
    """Sends a question to a thread, or to a new one. Sent again after a break it is still one question."""

    accepted = Signal(str, str, str)
    """Key, thread, run."""
    failed = Signal(str, object)
    """Key, HearthError."""

    def __init__(self, api: Api, key: str, thread_id: str, question: Question, parent: QObject) -> None:
        super().__init__(parent)
        self._api = api
        self._key = key
        self._thread_id = thread_id
        self._question = question
        self._once = os.urandom(16).hex()

    def start(self) -> None:
        """On its way."""
        if self._thread_id:
            self._say()
        else:
            reply = self._api.request("POST", "/v1/threads", {"local_only": self._question.local_only}, limit_s=SEND_S)
            self._listen(reply, self._on_thread)

    def _say(self) -> None:
        path = f"/v1/threads/{self._thread_id}/messages"
        reply = self._api.request("POST", path, self._question.body(), key=self._once, limit_s=SEND_S)
        self._listen(reply, self._on_accepted)

    def _listen(self, reply: Reply, slot: Any) -> None:
        reply.done.connect(slot)
        reply.failed.connect(self._on_failed)

    @Slot(object)
    def _on_thread(self, thread: Any) -> None:
        self._thread_id = thread["id"]
        self._say()

    @Slot(object)
    def _on_accepted(self, accepted: Any) -> None:
        self.accepted.emit(self._key, self._thread_id, accepted["task_id"])
        self.deleteLater()

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        self.failed.emit(self._key, error)
        self.deleteLater()


class Answering(QObject):
    """Follows a run and joins its text."""

    said = Signal(str, str)
    """Key, and text to be added at the end."""
    anew = Signal(str)
    """Key: what was said so far counts no more; `text` has what does."""
    happened = Signal(str, object)
    """Key, and every event that is no text."""
    refused = Signal(str, object)
    """Key, HearthError: its events are not to be had."""

    def __init__(self, api: Api, key: str, run_id: str, parent: QObject) -> None:
        super().__init__(parent)
        self.key = key
        self.run_id = run_id
        self._transcript = Transcript()
        self._stream = RunStream(api, run_id, self)
        self._stream.happened.connect(self._on_event)
        self._stream.refused.connect(self._on_refused)

    @property
    def text(self) -> str:
        """The answer so far."""
        return self._transcript.text

    @property
    def reasoning(self) -> str:
        """What the model thought so far."""
        return self._transcript.reasoning

    def start(self) -> None:
        """From the run's first event on."""
        self._stream.start()

    def stop(self) -> None:
        """Listen no more; the run goes on."""
        self._stream.stop()
        self.deleteLater()

    @Slot(object)
    def _on_event(self, event: Event) -> None:
        new = self._transcript.take(event)
        if new is None:
            self.anew.emit(self.key)
        elif new:
            self.said.emit(self.key, new)
        elif event["type"] != "text.delta":
            self.happened.emit(self.key, event)

    @Slot(object)
    def _on_refused(self, error: HearthError) -> None:
        self.refused.emit(self.key, error)
