import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.embedder_frames import (
    HEADER,
    LARGEST,
    Ask,
    Failed,
    Frame,
    Ready,
    Vectors,
    decode,
    decode_header,
    encode,
)

pytestmark = pytest.mark.unit


def there_and_back(frame: Frame) -> Frame:
    raw = encode(frame)
    length, kind = decode_header(raw[: HEADER.size])
    assert length == len(raw) - HEADER.size
    return decode(kind, raw[HEADER.size :])


@given(st.lists(st.text()))
def test_texts_arrive_as_they_were_sent(texts: list[str]) -> None:
    assert there_and_back(Ask(texts)) == Ask(texts)


@pytest.mark.parametrize("frame", [Ready(), Failed("It broke.", "Mend it.")])
def test_a_frame_arrives_as_it_was_sent(frame: Frame) -> None:
    assert there_and_back(frame) == frame


@pytest.mark.parametrize("shape", [(0, 384), (3, 4)])
def test_vectors_arrive_as_they_were_sent(shape: tuple[int, int]) -> None:
    rows = np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape)
    arrived = there_and_back(Vectors(rows))
    assert isinstance(arrived, Vectors)
    assert np.array_equal(arrived.rows, rows)


@pytest.mark.parametrize("header", [HEADER.pack(LARGEST + 1, 0), HEADER.pack(1, 9)])
def test_what_no_side_would_send_is_refused(header: bytes) -> None:
    with pytest.raises(ValueError, match="not a frame"):
        decode_header(header)


def test_vectors_that_are_cut_short_are_refused() -> None:
    raw = encode(Vectors(np.ones((2, 3), np.float32)))
    with pytest.raises(ValueError, match=r"reshape|buffer"):
        decode(raw[HEADER.size - 1], raw[HEADER.size : -4])
