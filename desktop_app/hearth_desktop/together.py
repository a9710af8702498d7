"""Several requests whose answers belong together."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal, Slot

from hearth_desktop.net.api import Reply
from hearth_shared.errors import HearthError


class Together(QObject):
    """Says `done` with all answers in the order of the requests, or `failed` with the first error; never both."""

    done = Signal(list)
    failed = Signal(object)

    def __init__(self, replies: Sequence[Reply], parent: QObject) -> None:
        super().__init__(parent)
        self._answers: list[object] = [None] * len(replies)
        self._waiting = {number: _One(reply, number, self) for number, reply in enumerate(replies)}

    def cancel(self) -> None:
        """Neither signal will come."""
        waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            one.reply.cancel()
        self.deleteLater()

    def take(self, number: int, answer: object) -> None:
        """One of them has answered."""
        self._answers[number] = answer
        if self._waiting.pop(number, None) is not None and not self._waiting:
            self.done.emit(self._answers)
            self.deleteLater()

    def fail(self, number: int, error: HearthError) -> None:
        """One of them has failed: the others are not needed any more."""
        if self._waiting.pop(number, None) is not None:
            self.cancel()
            self.failed.emit(error)


class _One(QObject):
    def __init__(self, reply: Reply, number: int, host: Together) -> None:
        super().__init__(host)
        self.reply = reply
        self._number = number
        self._host = host
        reply.done.connect(self._on_done)
        reply.failed.connect(self._on_failed)

    @Slot(object)
    def _on_done(self, answer: object) -> None:
        self._host.take(self._number, answer)

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        self._host.fail(self._number, error)
