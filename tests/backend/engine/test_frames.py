"""Messages between the backend and an engine child."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.frames import (
    Answer,
    Ask,
    Chat,
    Complete,
    Decoder,
    Ended,
    Failed,
    FrameError,
    Message,
    Piece,
    Ready,
    encode,
)
from hearth_backend.engine.sampling import Sampling

pytestmark = pytest.mark.unit

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("t"), inner, max_size=3),
    max_leaves=8,
)


def through(*messages: Message) -> list[Message]:
    return list(Decoder().feed(b"".join(map(encode, messages))))


def test_messages_come_out_as_they_went_in() -> None:
    messages: list[Message] = [
        Ask(1, "inline", Complete("a", None, [["b.py", "c"]], Sampling(stop=("x", "y"), temperature=0.5))),
        Answer(1, Piece("héllo \ud800")),
        Answer(1, Ended("stop", 3, 4, 2, 0.5, 0.25)),
        Answer(2, Failed("bad_request", "no", "yes", {"limit": 5})),
        Ready(512, 0, 0.5),
    ]
    assert through(*messages) == messages


@given(json_values)
def test_other_peoples_json_is_never_taken_for_a_message(value: Any) -> None:
    ask = Ask(1, "chat", Chat([{"role": "user", "content": "x", "extra": value}], tools=[{"t": "Ended", "x": value}]))
    assert through(ask) == [ask]


@given(st.lists(st.integers(1, 40), max_size=30))
def test_frames_may_arrive_in_any_pieces(cuts: list[int]) -> None:
    messages: list[Message] = [Answer(at, Piece("x" * at)) for at in range(12)]
    stream = b"".join(map(encode, messages))
    decoder, found, at = Decoder(), list[Message](), 0
    for cut in [*cuts, len(stream)]:
        found += decoder.feed(stream[at : at + cut])
        at += cut
    assert found == messages


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"t":"Nothing"}', b'{"t":"Piece","text":"x"}', b'{"t":"Ask","id":1}'],
)
def test_a_body_that_holds_no_message_is_an_error(body: bytes) -> None:
    with pytest.raises(FrameError):
        list(Decoder().feed(struct.pack("!I", len(body)) + body))


def test_a_length_beyond_reason_is_an_error_before_anything_is_stored() -> None:
    with pytest.raises(FrameError, match="limit"):
        list(Decoder().feed(struct.pack("!I", 1 << 31)))
