"""The text of an answer from its events, in whatever pieces they come and come again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_desktop.chat.transcript import Transcript
from hearth_shared.wire import Event

pytestmark = pytest.mark.unit


def event(kind: Any, **data: Any) -> Event:
    return {"seq": 1, "time": 0.0, "type": kind, "run_id": "r", "thread_id": "t", "door": "cli", "data": data}


def deltas(text: str, sizes: list[int], part: int = 0) -> list[Event]:
    found: list[Event] = []
    at = 0
    for size in [*sizes, len(text)]:
        if at < len(text):
            found.append(event("text.delta", part=part, offset=at, text=text[at : at + size]))
            at += size
    return found


@given(st.text(max_size=40), st.lists(st.integers(1, 9), max_size=8), st.integers(0, 8))
def test_what_comes_twice_is_taken_once(text: str, sizes: list[int], again: int) -> None:
    transcript, added = Transcript(), ""
    sent = deltas(text, sizes)
    for one in [*sent[: again + 1], *sent]:
        added += transcript.take(one) or ""
    assert transcript.text == text
    assert added == text


def test_parts_are_joined_in_their_order() -> None:
    transcript = Transcript()
    assert transcript.take(event("text.delta", part=1, offset=0, text="two")) == "two"
    assert transcript.take(event("text.delta", part=0, offset=0, text="one ")) is None
    assert transcript.text == "one two"


def test_a_reset_says_that_all_is_to_be_shown_anew() -> None:
    transcript = Transcript()
    transcript.take(event("text.delta", part=0, offset=0, text="wrong"))
    assert transcript.take(event("text.reset", part=0)) is None
    assert transcript.text == ""
    assert transcript.take(event("text.delta", part=0, offset=0, text="right")) == "right"


def test_a_reset_of_nothing_changes_nothing() -> None:
    assert Transcript().take(event("text.reset", part=0, attempt=2)) == ""


def test_thinking_is_no_part_of_the_answer() -> None:
    transcript = Transcript()
    assert transcript.take(event("reasoning.delta", part=0, offset=0, text="hm")) == ""
    assert transcript.reasoning == "hm"
    assert transcript.text == ""


def test_offsets_count_code_points() -> None:
    transcript = Transcript()
    transcript.take(event("text.delta", part=0, offset=0, text="\U0001f525a"))
    assert transcript.take(event("text.delta", part=0, offset=1, text="ab")) == "b"
    assert transcript.text == "\U0001f525ab"
