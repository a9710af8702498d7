import contextlib
import io
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_bridge import native_frames
from hearth_bridge.native_frames import BrokenFrame

pytestmark = pytest.mark.unit


@given(st.lists(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers()), max_size=4))
def test_messages_come_back_as_they_went_one_after_the_other(messages: list[dict[str, int]]) -> None:
    stream = io.BytesIO(b"".join(map(native_frames.framed, messages)))
    assert [native_frames.read(stream) for _ in messages] == messages
    assert native_frames.read(stream) is None


@given(st.binary(min_size=1, max_size=200))
def test_whatever_comes_is_a_message_or_is_broken(data: bytes) -> None:
    with contextlib.suppress(BrokenFrame):
        assert isinstance(native_frames.read(io.BytesIO(data)), dict | None)


@pytest.mark.parametrize(
    "data",
    [
        b"\1\0",
        struct.pack("=I", 2**31) + b"{}",
        struct.pack("=I", native_frames.LARGEST_IN + 1),
        struct.pack("=I", 5) + b"{}",
        struct.pack("=I", 2) + b"[]",
        struct.pack("=I", 2) + b"\xff\xff",
        struct.pack("=I", 0),
        struct.pack("=I", 100_000) + b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_broken(data: bytes) -> None:
    with pytest.raises(BrokenFrame):
        native_frames.read(io.BytesIO(data))


def test_a_browser_is_never_sent_more_than_it_takes() -> None:
    with pytest.raises(ValueError, match="so much"):
        native_frames.framed({"text": "x" * native_frames.LARGEST_OUT})
    assert json.loads(native_frames.framed({"text": "ä"})[4:]) == {"text": "ä"}
