"""Sampling options, and text made of tokens."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.sampling import Sampling, TextStream, depth
from hearth_shared.errors import BadRequest

pytestmark = pytest.mark.unit


def told(pieces: list[bytes], stops: list[str]) -> tuple[str, bool]:
    stream, text = TextStream(stops), ""
    for piece in pieces:
        text += stream.push(piece)
        if stream.stopped:
            return text, True
    return text + stream.finish(), False


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"temperature": math.inf},
        {"top_p": 1.1},
        {"top_k": -1},
        {"min_p": 2},
        {"max_tokens": 0},
        {"presence_penalty": 3},
        {"seed": 2**70},
        {"repeat_penalty": 0},
        {"logprobs": 21},
        {"logit_bias": ((-1, 1.0),)},
        {"logit_bias": ((1, math.nan),)},
        {"logit_bias": ((1, 101.0),)},
        {"logit_bias": ((1, 1.0),) * 2000},
        {"stop": ("",)},
        {"stop": ("x" * 1000,)},
        {"stop": ("x",) * 100},
    ],
)
def test_a_value_out_of_its_range_is_refused_by_name(values: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match=next(iter(values))):
        Sampling(**values)


@given(st.text(), st.integers(1, 5))
def test_characters_come_whole_however_their_bytes_are_cut(text: str, size: int) -> None:
    raw = text.encode("utf-8", "replace")
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    assert told(pieces, [])[0] == raw.decode()


def test_half_a_character_at_the_end_is_shown_as_unknown() -> None:
    assert told(["é".encode()[:1]], []) == ("\ufffd", False)


@given(st.text("abc", max_size=30), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3), st.integers(1, 4))
def test_text_ends_before_the_first_stop_however_it_is_cut(text: str, stops: list[str], size: int) -> None:
    pieces = [text[at : at + size].encode() for at in range(0, len(text), size)]
    shown, stopped = told(pieces, stops)
    assert text.startswith(shown)
    assert not any(stop in shown for stop in stops)
    assert stopped == any(stop in text for stop in stops)
    if not stopped:
        assert shown == text


def test_nothing_that_could_begin_a_stop_is_shown_early() -> None:
    stream = TextStream(["END"])
    assert [stream.push(b"xE"), stream.push(b"N"), stream.push(b"x"), stream.push(b"yEND!")] == ["x", "", "ENx", "y"]
    assert stream.stopped
    assert stream.finish() == ""


def test_how_deeply_a_grammar_is_nested() -> None:
    assert [depth(text) for text in ('root ::= "a"', "(a) (b (c))", "(" * 300, ")(")] == [0, 2, 300, 0]
