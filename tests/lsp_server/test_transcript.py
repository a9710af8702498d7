from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_lsp.transcript import Transcript, doing, made_by
from hearth_shared.wire import Answer, Event

pytestmark = pytest.mark.unit


def event(kind: str, **data: Any) -> Event:
    return {"seq": 1, "time": 0.0, "type": kind, "run_id": "r", "thread_id": None, "door": "", "data": data}  # type: ignore[typeddict-item]


def delta(part: int, at: int, text: str) -> Event:
    return event("text.delta", part=part, offset=at, text=text)


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=20))
def test_text_that_comes_twice_is_taken_once(text: str, again: list[tuple[int, int]]) -> None:
    transcript = Transcript()
    for at in range(0, len(text), 3):
        transcript.take(delta(0, at, text[at : at + 3]))
        for back, size in again:
            start = max(0, at - back)
            transcript.take(delta(0, start, text[start : min(start + size, at + 3)]))
    assert transcript.text == text


def test_a_part_that_is_reset_begins_again() -> None:
    transcript = Transcript()
    assert transcript.take(delta(0, 0, "one"))
    assert transcript.take(delta(1, 0, "two"))
    assert transcript.take(event("text.reset", part=1))
    assert not transcript.take(event("text.reset", part=1))
    assert not transcript.take(event("task.started", attempt=2))
    transcript.take(delta(1, 0, "three"))
    assert transcript.text == "onethree"


def test_what_is_done_is_said_in_words() -> None:
    assert doing(event("model.loading", model="qwen")) == "loading qwen"
    assert doing(event("tool.called", name="clock")) == "using clock"
    assert doing(event("usage.recorded")) == ""


def test_where_an_answer_was_made() -> None:
    by = {"where": "this machine", "model": "m", "provider": "engine", "test_model": True}
    assert made_by(cast("Answer", {"made_by": by})) == "this machine · m (test model)"
    assert made_by(cast("Answer", {"made_by": {**by, "where": "no model"}})) == "no language model connected"
