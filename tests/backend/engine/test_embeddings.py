"""The embedding child's order of work: a hold and a cancel stop what is being read."""

import queue
import socket
import threading
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hearth_backend.engine.abortflag import AbortFlag
from hearth_backend.engine.frames import Answer, Ask, Cancel, Decoder, Embed, Hold, Message, Ready, Vectors, encode
from hearth_backend.engine.lanes import Lane
from hearth_backend.engine.mailbox import Mailbox
from support import tools

pytestmark = pytest.mark.engine
LIMIT_S = 60


class Slow:
    """A model that reads until the test lets it end, or the flag stops it; `read` tells what it was given."""

    name, size, seats, width = "slow", 64, 4, 2

    def __init__(self, abort: AbortFlag) -> None:
        self.native = SimpleNamespace(gpu_layers=0)
        self.context = self
        self.go = threading.Semaphore(0)
        self.read: queue.Queue[int] = queue.Queue()
        self._abort = abort

    def tokens(self, text: str) -> list[int]:
        return [int(text)]

    def batches(self, texts: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        yield from ([place] for place in range(len(texts)))

    def embed(self, texts: Sequence[Sequence[int]]) -> Any:
        self.read.put(texts[0][0])
        while not self.go.acquire(timeout=0.01):
            if self._abort.is_up:
                return "aborted"
        return np.full((1, 2), texts[0][0], np.float32)


class Desk:
    """The child on a thread, and the backend's end of its socket."""

    def __init__(self) -> None:
        tools.need("llama_cpp")
        from hearth_backend.engine.embeddings import EmbeddingChild

        self.backend, ours = socket.socketpair()
        self.backend.settimeout(LIMIT_S)
        abort = AbortFlag()
        self.model: Any = Slow(abort)
        child = EmbeddingChild(Mailbox(ours, lambda _status: None), self.model, abort, lambda: 0.5)
        threading.Thread(target=child.serve, daemon=True).start()
        self._heard = self._hear()
        ready = next(self._heard)
        assert isinstance(ready, Ready)
        assert (ready.context, ready.width, ready.seconds) == (64, 2, 0.5)

    def send(self, *messages: Message) -> None:
        self.backend.sendall(b"".join(map(encode, messages)))

    def answer(self) -> int:
        said = next(self._heard)
        assert isinstance(said, Answer)
        assert isinstance(said.event, Vectors)
        return said.id

    def now_reads(self) -> int:
        return self.model.read.get(timeout=LIMIT_S)

    def _hear(self) -> Iterator[Message]:
        decoder = Decoder()
        while data := self.backend.recv(65536):
            yield from decoder.feed(data)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.model.go.release(1000)
    desk.backend.close()


def ask(id: int, *texts: str, lane: Lane = "indexing") -> Ask:
    return Ask(id, lane, Embed(texts))


def test_a_question_goes_before_what_is_indexed(desk: Desk) -> None:
    desk.send(ask(1, "1"))
    assert desk.now_reads() == 1
    desk.send(ask(2, "2"), ask(3, "3", lane="chat"), Hold(on=True), Hold(on=False))
    assert desk.now_reads() == 1  # again: so the others have come, too
    desk.model.go.release(3)
    assert [desk.answer() for _ in range(3)] == [1, 3, 2]


def test_what_is_held_stops_and_is_read_again_afterwards(desk: Desk) -> None:
    desk.send(ask(1, "7", "8"))
    assert desk.now_reads() == 7
    desk.send(Hold(on=True), Hold(on=False))
    assert desk.now_reads() == 7
    desk.model.go.release(2)
    assert desk.answer() == 1
    assert desk.now_reads() == 8


def test_what_nobody_waits_for_is_not_read_to_its_end(desk: Desk) -> None:
    desk.send(ask(1, "1", "2", "3"))
    assert desk.now_reads() == 1
    desk.send(Cancel(1), ask(2, "9"))
    assert desk.now_reads() == 9
    desk.model.go.release(1)
    assert desk.answer() == 2


def test_another_task_than_embedding_is_refused(desk: Desk) -> None:
    from hearth_backend.engine.frames import Complete, Failed

    desk.send(Ask(1, "chat", Complete("x")))
    said = next(desk._heard)  # pyright: ignore[reportPrivateUsage]
    assert isinstance(said, Answer)
    assert isinstance(said.event, Failed)
    assert "writes no text" in said.event.detail
