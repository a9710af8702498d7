"""One thread as it is seen: its turns, those under way, and what the person does with them. No widget is known here.

A thread belongs to all doors: what is said elsewhere comes in through `hear`, and is shown as if it were said here.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, cast

from PySide6.QtCore import QObject, Signal, Slot

from hearth_desktop.chat import words
from hearth_desktop.chat.answering import Answering, Question, Sending
from hearth_desktop.chat.turn import Turn, answered, settled, turns_of
from hearth_desktop.net.api import Api
from hearth_shared.errors import HearthError
from hearth_shared.wire import Answer, Event, EventType, Failure, Task, Thread, ThreadDetail, ThreadMessage

_FINAL: Final = frozenset({EventType.TASK_FINISHED, EventType.TASK_FAILED, EventType.TASK_CANCELLED})


class Conversation(QObject):
    """The thread that is open, or the new one that begins with the next question."""

    opened = Signal()
    """Another thread, or the same in another order: show all turns anew."""
    added = Signal(object)
    """A Turn at the end."""
    said = Signal(object, str)
    """A Turn, and the text that was added to its answer."""
    changed = Signal(object)
    """A Turn that is another now: its state, what is known of it, or its text."""
    titled = Signal()
    """The thread has another name, or is another one."""
    busy = Signal()
    """`is_busy` may have changed."""
    failed = Signal(object)
    """A HearthError: the thread could not be read, or an answer not be rated."""

    def __init__(self, api: Api, parent: QObject | None = None, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(parent)
        self._api = api
        self._clock = clock
        self.about: Thread | None = None
        self.thread_id = ""
        self.is_loading = False
        self.turns: list[Turn] = []
        self._answering: dict[str, Answering] = {}
        self._questions: dict[str, Question] = {}
        self._sending: set[str] = set()
        self._stopping: set[str] = set()
        self._rating: dict[str, Literal["good", "bad"]] = {}
        self._doors: dict[str, str] = {}
        """Where the runs of this thread came from, as far as it was heard."""
        self._number = 0

    # -- which thread

    @property
    def title(self) -> str:
        """What the thread is called."""
        return words.title(self.about["title"] if self.about else "")

    @property
    def is_local_only(self) -> bool:
        """Whether nothing of this thread may leave the machine."""
        return bool(self.about and self.about["local_only"])

    @property
    def is_busy(self) -> bool:
        """Whether an answer is under way."""
        return any(turn.is_open for turn in self.turns)

    @property
    def last_answer(self) -> Turn | None:
        """The newest turn with something to read."""
        return next((turn for turn in reversed(self.turns) if turn.text), None)

    def turn(self, key: str) -> Turn | None:
        """A turn by its key."""
        return next((turn for turn in self.turns if turn.key == key), None)

    def open(self, thread_id: str, *, title: str = "") -> None:
        """Another thread; its turns follow."""
        if thread_id == self.thread_id and self.about is not None:
            return
        self._leave(thread_id)
        self.is_loading = bool(thread_id)
        if title and thread_id:
            self.about = None
        self.opened.emit()
        self.titled.emit()
        self.busy.emit()
        self.refresh()

    def begin_new(self) -> None:
        """A new thread; it is made with the first question."""
        self.open("") if self.thread_id or self.turns else self.opened.emit()

    @Slot()
    def refresh(self) -> None:
        """Read the open thread anew."""
        if self.thread_id:
            reply = self._api.request("GET", f"/v1/threads/{self.thread_id}")
            reply.done.connect(self._on_thread)
            reply.failed.connect(self._on_not_read)

    def _leave(self, thread_id: str) -> None:
        for answering in self._answering.values():
            answering.stop()
        self._answering.clear()
        self._sending.clear()
        self._doors.clear()
        self.turns.clear()
        self.about = None
        self.thread_id = thread_id

    @Slot(object)
    def _on_thread(self, thread: ThreadDetail) -> None:
        if thread["id"] != self.thread_id:
            return
        self.about = cast("Thread", {name: value for name, value in thread.items() if name != "messages"})
        self.titled.emit()
        self._merge(turns_of(thread["messages"]))
        if self.is_loading:
            self.is_loading = False
            self.opened.emit()
        self.busy.emit()

    @Slot(object)
    def _on_not_read(self, error: HearthError) -> None:
        self.is_loading = False
        self.failed.emit(error)

    def _merge(self, stored: Sequence[Turn]) -> None:
        """What is stored, with what is only known here: the questions on their way, and answers that stream."""
        known = {turn.run_id: turn for turn in self.turns if turn.run_id}
        merged = [self._joined(known.get(turn.run_id), turn) for turn in stored]
        runs = {turn.run_id for turn in merged}
        rest = [turn for turn in self.turns if turn.run_id not in runs]
        before = [turn.key for turn in self.turns]
        self.turns = [*merged, *rest]
        now = [turn.key for turn in self.turns]
        if now[: len(before)] != before:
            self.opened.emit()
        else:
            for turn in self.turns[len(before) :]:
                self.added.emit(turn)
        for turn in self.turns:
            if turn.is_open and turn.run_id and turn.run_id not in self._answering:
                self._look(turn)

    def _joined(self, known: Turn | None, stored: Turn) -> Turn:
        if known is None:
            return replace(stored, door=self._doors.get(stored.run_id, ""))
        if stored.is_open or known.run_id in self._answering:
            return known
        joined = replace(known, message_id=stored.message_id, feedback=stored.feedback)
        if known.is_open:
            joined = replace(stored, key=known.key, files=known.files, door=known.door)
            self.changed.emit(joined)
        return joined

    # -- asking

    def ask(self, question: Question) -> None:
        """Send it; it is shown at once."""
        self._number += 1
        turn = Turn(
            key=f"new{self._number}",
            question=question.text,
            asked_at=self._clock(),
            door="tray",
            files=tuple(file["name"] for file in question.files),
            state="sending",
            doing="Sending…" if self._api.locator.look() else "Starting Hearth…",
        )
        self.turns.append(turn)
        self._questions[turn.key] = question
        self.added.emit(turn)
        self._send(turn.key, question)

    def ask_again(self, key: str) -> None:
        """The same question once more: one that never left goes from its place, others as a new turn."""
        turn = self.turn(key)
        if turn is None or turn.is_open:
            return
        question = self._questions.get(key, Question(turn.question, local_only=self.is_local_only))
        if turn.run_id:
            self.ask(question)
        else:
            self._change(replace(turn, state="sending", failure=None, doing="Sending…"))
            self._send(key, question)

    def stop(self) -> None:
        """End the answer that is under way."""
        turn = next((turn for turn in self.turns if turn.is_open), None)
        if turn is None:
            return
        self._change(replace(turn, doing="Stopping…"))
        if turn.run_id:
            self._cancel(turn.run_id)
        else:
            self._stopping.add(turn.key)

    def _cancel(self, run_id: str) -> None:
        reply = self._api.request("DELETE", f"/v1/tasks/{run_id}")
        reply.done.connect(self._on_task)
        reply.failed.connect(self.failed)

    def _send(self, key: str, question: Question) -> None:
        self._sending.add(key)
        sending = Sending(self._api, key, self.thread_id, question, self)
        sending.accepted.connect(self._on_accepted)
        sending.failed.connect(self._on_not_sent)
        sending.start()
        self.busy.emit()

    @Slot(str, str, str)
    def _on_accepted(self, key: str, thread_id: str, run_id: str) -> None:
        if key not in self._sending:  # the person went to another thread; the answer will be found there
            return
        self._sending.discard(key)
        turn = self.turn(key)
        if turn is None:
            return
        is_new = not self.thread_id
        self.thread_id = thread_id
        if key in self._stopping:
            self._stopping.discard(key)
            self._cancel(run_id)
        self._change(replace(turn, run_id=run_id, state="waiting", doing=turn.doing if is_new else "Thinking…"))
        self._follow(key, run_id)
        self.refresh()

    @Slot(str, object)
    def _on_not_sent(self, key: str, error: HearthError) -> None:
        self._sending.discard(key)
        self._stopping.discard(key)
        if turn := self.turn(key):
            self._change(replace(turn, state="failed", failure=_failure(error), doing=""))

    # -- answers

    def _look(self, turn: Turn) -> None:
        """How far a run is that was begun elsewhere or before."""
        reply = self._api.request("GET", f"/v1/tasks/{turn.run_id}")
        reply.done.connect(self._on_task)

    @Slot(object)
    def _on_task(self, task: Task) -> None:
        turn = self._of_run(task["id"])
        if turn is None or not turn.is_open:
            return
        if task["status"] in ("queued", "running", "waiting"):
            if turn.door != task["door"]:
                self._change(replace(turn, door=task["door"]))
            self._follow(turn.key, task["id"])
        else:
            self._end(settled(turn, task))

    def _follow(self, key: str, run_id: str) -> None:
        if run_id in self._answering:
            return
        answering = self._answering[run_id] = Answering(self._api, key, run_id, self)
        answering.said.connect(self._on_said)
        answering.anew.connect(self._on_anew)
        answering.happened.connect(self._on_happened)
        answering.refused.connect(self._on_refused)
        answering.start()

    @Slot(str, str)
    def _on_said(self, key: str, new: str) -> None:
        if (turn := self.turn(key)) is None or not turn.is_open:
            return
        began = turn.state != "writing" or bool(turn.doing)
        turn = replace(
            turn, text=turn.text + new, state="writing", doing="" if turn.doing != "Stopping…" else turn.doing
        )
        self._put(turn)
        if began:
            self.changed.emit(turn)
        self.said.emit(turn, new)

    @Slot(str)
    def _on_anew(self, key: str) -> None:
        if (turn := self.turn(key)) is not None and (answering := self._answering.get(turn.run_id)):
            doing = "It begins again…"
            self._change(replace(turn, text=answering.text, reasoning=answering.reasoning, doing=doing))

    @Slot(str, object)
    def _on_happened(self, key: str, event: Event) -> None:
        turn = self.turn(key)
        if turn is None:
            return
        if event["type"] in _FINAL:
            self._finish(turn, event)
            return
        answering = self._answering.get(turn.run_id)
        if event["type"] == EventType.REASONING_DELTA and answering is not None:
            self._change(replace(turn, reasoning=answering.reasoning, doing=turn.doing or "Thinking…"))
        elif (doing := words.doing(event)) and turn.doing != "Stopping…":
            self._change(replace(turn, doing=doing))

    def _finish(self, turn: Turn, event: Event) -> None:
        data: dict[str, Any] = event["data"]
        if event["type"] == EventType.TASK_FINISHED:
            answer = cast("Answer", data["answer"])
            turn = replace(
                turn,
                state="finished",
                text=answer["text"],
                sources=tuple(answer["sources"]),
                made_by=answer["made_by"],
                tokens=answer["tokens"],
                complete=answer["complete"],
                notes=tuple(answer["notes"]),
                doing="",
            )
        elif event["type"] == EventType.TASK_FAILED:
            turn = replace(turn, state="failed", failure=cast("Failure", data), doing="")
        else:
            turn = replace(turn, state="stopped", doing="")
        self._end(turn)

    def _end(self, turn: Turn) -> None:
        if answering := self._answering.pop(turn.run_id, None):
            answering.stop()
        self._change(turn)

    @Slot(str, object)
    def _on_refused(self, key: str, error: HearthError) -> None:
        """Its events are gone; the task itself still tells how it ended."""
        turn = self.turn(key)
        if turn is None:
            return
        if answering := self._answering.pop(turn.run_id, None):
            answering.stop()
        self._look(turn)

    # -- what a person thinks of an answer

    def rate(self, key: str, rating: Literal["good", "bad"]) -> None:
        """Rate an answer."""
        turn = self.turn(key)
        if turn is None or not turn.run_id:
            return
        self._change(replace(turn, feedback=rating))
        if turn.message_id:
            self._rate(turn.message_id, rating)
        else:
            self._rating[turn.run_id] = rating
            reply = self._api.request("GET", f"/v1/threads/{self.thread_id}")
            reply.done.connect(self._on_ids)
            reply.failed.connect(self.failed)

    @Slot(object)
    def _on_ids(self, thread: ThreadDetail) -> None:
        for message in thread["messages"]:
            if message["role"] == "assistant" and (rating := self._rating.pop(message["run_id"] or "", None)):
                if turn := self._of_run(message["run_id"] or ""):
                    self._put(replace(turn, message_id=message["id"]))
                self._rate(message["id"], rating)

    def _rate(self, message_id: str, rating: str) -> None:
        body = {"message_id": message_id, "rating": rating}
        reply = self._api.request("POST", f"/v1/threads/{self.thread_id}/feedback", body)
        reply.done.connect(self._on_rated)
        reply.failed.connect(self.failed)

    @Slot(object)
    def _on_rated(self, message: ThreadMessage) -> None:
        turn = self._of_run(message["run_id"] or "")
        if turn is not None and turn.feedback != message["feedback"]:
            self._change(answered(turn, message))

    # -- other doors

    @Slot(object)
    def hear(self, event: Event) -> None:
        """Something happened, here or elsewhere."""
        if event["type"] == EventType.MEMORY_FORGOTTEN:
            self._forget(cast("list[str]", event["data"].get("ids", [])))
        elif event["thread_id"] and event["thread_id"] == self.thread_id:
            known = self._of_run(event["run_id"] or "")
            self._doors[event["run_id"] or ""] = event["door"]
            if known is None and event["type"] in (EventType.TASK_QUEUED, EventType.TASK_STARTED) and not self._sending:
                self.refresh()

    def _forget(self, ids: Sequence[str]) -> None:
        for turn in tuple(self.turns):
            if (less := turn.without(ids)) is not turn:
                self._change(less)

    # -- turns

    def _of_run(self, run_id: str) -> Turn | None:
        return next((turn for turn in self.turns if run_id and turn.run_id == run_id), None)

    def _put(self, turn: Turn) -> None:
        self.turns = [turn if other.key == turn.key else other for other in self.turns]

    def _change(self, turn: Turn) -> None:
        self._put(turn)
        self.changed.emit(turn)
        self.busy.emit()


def _failure(error: HearthError) -> Failure:
    return {"code": error.code, "detail": error.detail, "fix": error.fix, "retryable": error.retryable}
