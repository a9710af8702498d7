from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_bridge.answers import Answer
from hearth_shared.errors import BackendUnavailable

pytestmark = pytest.mark.unit

WHOLE = b"HTTP/1.1 201 Created\r\ncontent-length: 11\r\n\r\nhello there"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n there\r\n0\r\n\r\n"


@given(st.sampled_from([WHOLE, CHUNKED]), st.lists(st.integers(0, 100), max_size=8))
def test_an_answer_is_the_same_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(data)]
    answer = Answer()
    body = b"".join(answer.feed(data[start:end]) for start, end in pairwise(places) if start < end)
    assert (body, answer.complete, answer.status) == (b"hello there", True, 201 if data == WHOLE else 200)


def test_a_half_answer_is_not_complete() -> None:
    answer = Answer()
    assert answer.feed(WHOLE[:-3]) == b"hello th"
    assert not answer.complete


def test_what_is_no_http_is_said() -> None:
    with pytest.raises(BackendUnavailable, match="could not be read"):
        Answer().feed(b"SSH-2.0-x\r\n\r\n")
