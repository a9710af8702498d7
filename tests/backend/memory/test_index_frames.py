import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.index_frames import (
    HEADER,
    Ask,
    Count,
    Done,
    Failed,
    Found,
    Frame,
    Put,
    Ready,
    Remove,
    decode,
    decode_header,
    encode,
)

pytestmark = pytest.mark.unit
KEYS = st.lists(st.text(max_size=20), max_size=5)


def there_and_back(frame: Frame) -> Frame:
    raw = encode(frame)
    length, kind = decode_header(raw[: HEADER.size])
    assert length == len(raw) - HEADER.size
    return decode(kind, raw[HEADER.size :])


@given(
    st.one_of(
        st.builds(Ready, st.integers(0)),
        st.builds(Done, st.integers(0)),
        st.builds(Remove, KEYS),
        st.builds(Found, st.lists(KEYS, max_size=3)),
        st.builds(Failed, st.text(), st.booleans()),
        st.just(Count()),
    )
)
def test_a_frame_says_there_what_it_said_here(frame: Frame) -> None:
    assert there_and_back(frame) == frame


@given(st.integers(0, 4), st.integers(1, 5))
def test_vectors_arrive_as_they_were_sent(count: int, width: int) -> None:
    rows = np.arange(count * width, dtype=np.float32).reshape(count, width)
    keys = [str(number) for number in range(count)]
    put = there_and_back(Put(keys, rows))
    assert isinstance(put, Put)
    assert put.keys == keys
    assert np.array_equal(put.rows, rows)
    asked = there_and_back(Ask(rows, 7))
    assert isinstance(asked, Ask)
    assert asked.most == 7
    assert np.array_equal(asked.rows, rows)


@given(st.integers(0, 7), st.binary(min_size=4, max_size=60))
def test_noise_is_a_value_error_or_a_frame(kind: int, payload: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode(kind, payload)


@pytest.mark.parametrize("header", [HEADER.pack(1 << 31, 1), HEADER.pack(10, 9), HEADER.pack(0, 1)])
def test_a_header_of_no_frame_is_refused(header: bytes) -> None:
    with pytest.raises(ValueError, match="not a frame"):
        decode_header(header)


def test_keys_without_their_vectors_are_refused() -> None:
    raw = encode(Put(["a", "b"], np.zeros((1, 2), np.float32)))
    with pytest.raises(ValueError, match="2 keys for 1 rows"):
        decode(1, raw[HEADER.size :])
