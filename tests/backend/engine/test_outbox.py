"""What the engine has said goes out soon, and not in more messages than anybody can see."""

import pytest

from hearth_backend.engine.frames import Answer, Ended, Event, Failed, Piece, Started
from hearth_backend.engine.outbox import Outbox

pytestmark = pytest.mark.unit
STARTED, ENDED = Started("m"), Ended("stop", 1, 1)


class Post:
    """An outbox, the clock it looks at, and the messages that left it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.messages: list[list[Event | Failed]] = []
        self.outbox = Outbox(self._send, clock=lambda: self.now)

    def says(self, *events: Event | Failed, goes_on: bool = True) -> None:
        for event in events:
            self.outbox.put(1, event)
        self.outbox.flush(goes_on)

    def _send(self, *answers: Answer) -> None:
        self.messages.append([answer.event for answer in answers])  # pyright: ignore[reportArgumentType]


def texts(post: Post) -> list[str]:
    return ["".join(event.text for event in message if isinstance(event, Piece)) for message in post.messages]


def test_text_that_comes_faster_than_screens_goes_out_together() -> None:
    post = Post()
    for letter in "abcdefgh":
        post.says(Piece(letter))
        post.now += 0.006
    assert texts(post) == ["a", "bcd", "efg"]


def test_slow_text_goes_out_as_it_comes() -> None:
    post = Post()
    for letter in "abc":
        post.says(Piece(letter))
        post.now += 0.02
    assert texts(post) == ["a", "b", "c"]


def test_a_beginning_an_end_and_an_error_take_what_was_kept_with_them_at_once() -> None:
    for event in (STARTED, ENDED, Failed("engine_crashed", "It died.")):
        post = Post()
        post.says(Piece("a"))
        post.says(Piece("b"))
        post.says(event)
        assert post.messages == [[Piece("a")], [Piece("b"), event]]
        post.says(Piece("c"))
        post.now += 0.02
        post.says(Piece("d"))
        assert texts(post) == ["a", "b", "cd"]


def test_nothing_is_kept_when_it_does_not_go_on() -> None:
    post = Post()
    post.says(Piece("a"))
    post.says(Piece("b"), goes_on=False)
    post.says(goes_on=False)
    assert texts(post) == ["a", "b"]
