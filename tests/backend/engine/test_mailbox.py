"""The child's end of the socket."""

import queue
import socket
from collections.abc import Iterator

import pytest

from hearth_backend.engine.frames import Answer, Ask, Cancel, Decoder, Hold, Load, Piece, Tokenize, encode
from hearth_backend.engine.mailbox import Mailbox

pytestmark = pytest.mark.integration


class Desk:
    """A mailbox, the other end of its socket, and what it was told to do."""

    def __init__(self) -> None:
        self.backend, ours = socket.socketpair()
        self.backend.settimeout(60)
        self.said: queue.Queue[str] = queue.Queue()
        self.mailbox = Mailbox(ours, lambda status: self.said.put(f"left {status}"))
        self._ours = ours

    def next(self) -> int:
        return self.mailbox.next().id

    def begin(self, id: int) -> bool:
        return self.mailbox.keep(
            ask(id), lambda: self.said.put(f"begin {id}"), lambda cancelled: self.said.put(f"cancelled {cancelled}")
        )

    def send(self, *messages: Ask | Cancel | Hold | Load) -> None:
        self.backend.sendall(b"".join(map(encode, messages)))

    def close(self) -> None:
        with self._ours, self.backend:
            self.backend.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


def ask(id: int, lane: str = "chat") -> Ask:
    return Ask(id, lane, Tokenize("x"))  # pyright: ignore[reportArgumentType]


def test_a_task_that_waits_is_dropped_when_it_is_cancelled(desk: Desk) -> None:
    desk.send(ask(1), ask(2), ask(3, "inline"), Cancel(1), Load("/m", "m", 1, 2, 3, 4))
    assert desk.mailbox.load().name == "m"
    assert [desk.next(), desk.next()] == [3, 2]


def test_a_cancel_of_a_task_that_was_begun_is_passed_on(desk: Desk) -> None:
    desk.send(ask(1), ask(2))
    assert desk.next() == 1
    assert desk.begin(1)
    desk.send(Cancel(1), ask(3, "inline"))
    assert [desk.said.get(timeout=60) for _ in range(2)] == ["begin 1", "cancelled 1"]
    assert [desk.next(), desk.next()] == [3, 2]


def test_a_task_cancelled_while_it_is_prepared_is_not_begun(desk: Desk) -> None:
    desk.send(ask(1))
    assert desk.next() == 1
    desk.send(Cancel(1), Load("/m", "m", 1, 2, 3, 4))
    desk.mailbox.load()
    assert not desk.begin(1)
    desk.send(ask(2))
    assert desk.next() == 2
    assert desk.begin(2)
    assert desk.said.get(timeout=60) == "begin 2"


def test_what_is_sent_arrives(desk: Desk) -> None:
    desk.mailbox.send(Answer(1, Piece("x")))
    assert list(Decoder().feed(desk.backend.recv(100))) == [Answer(1, Piece("x"))]


def test_the_process_is_left_when_the_socket_closes(desk: Desk) -> None:
    desk.backend.shutdown(socket.SHUT_WR)
    assert desk.said.get(timeout=60) == "left 0"


@pytest.mark.parametrize("noise", [b"\0\0\0\2{}", b"\xff\xff\xff\xff", encode(Answer(1, Piece("x")))])
def test_the_process_is_left_when_the_other_side_speaks_nonsense(desk: Desk, noise: bytes) -> None:
    desk.backend.sendall(noise)
    assert desk.said.get(timeout=60) == "left 0"


def test_a_hold_is_told_also_to_one_who_asks_late(desk: Desk) -> None:
    desk.send(Hold(True), ask(1))
    assert desk.next() == 1
    desk.mailbox.tell_holds(lambda on: desk.said.put(f"hold {on}"))
    assert desk.said.get(timeout=60) == "hold True"
    desk.send(Hold(False))
    assert desk.said.get(timeout=60) == "hold False"
