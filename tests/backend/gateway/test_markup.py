from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.gateway.markup import TaggedText, Told
from hearth_backend.gateway.messages import ReasoningDelta, TextDelta, ToolCallDelta
from hearth_shared.errors import IncompleteAnswer, ModelFailed

pytestmark = pytest.mark.unit

CALL = '<tool_call>\n{"name": "clock", "arguments": {"zone": "CET"}}\n</tool_call>'


def read(*pieces: str, tools: bool = True) -> list[Told]:
    reader = TaggedText(tools=tools)
    told = [event for piece in pieces for event in reader.feed(piece)]
    return [*told, *reader.finish()]


def joined(told: list[Told]) -> tuple[str, str, list[tuple[str, str]]]:
    """(text, thoughts, calls)"""
    text = "".join(event.text for event in told if isinstance(event, TextDelta))
    thoughts = "".join(event.text for event in told if isinstance(event, ReasoningDelta))
    return text, thoughts, [(event.name, event.arguments) for event in told if isinstance(event, ToolCallDelta)]


def test_plain_text_passes_at_once() -> None:
    assert read("Hel", "lo") == [TextDelta("Hel"), TextDelta("lo")]


@given(st.lists(st.integers(min_value=0, max_value=140), max_size=10))
def test_thoughts_and_calls_are_told_apart_however_the_stream_is_cut(cuts: list[int]) -> None:
    whole = f"<think>\nLet me see.\n</think>\n\nOne < two.\n{CALL}\n{CALL}"
    places = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    text, thoughts, calls = joined(read(*(whole[start:end] for start, end in pairwise(places))))
    assert (text, thoughts) == ("One < two.\n", "\nLet me see.\n")
    assert calls == [("clock", '{"zone": "CET"}')] * 2


def test_calls_get_ids_and_places_of_their_own() -> None:
    calls = [event for event in read(CALL + CALL) if isinstance(event, ToolCallDelta)]
    assert [(call.index, call.id) for call in calls] == [(0, "call_1"), (1, "call_2")]


def test_without_tools_a_call_is_only_text() -> None:
    assert joined(read(CALL, tools=False)) == (CALL, "", [])


def test_a_thought_begins_an_answer_and_does_not_interrupt_it() -> None:
    assert joined(read("HTML has no <think> tag.")) == ("HTML has no <think> tag.", "", [])


def test_a_thought_that_never_ends_stays_a_thought() -> None:
    assert joined(read("<think>Hm, ", "and so on")) == ("", "Hm, and so on", [])


def test_what_looked_like_a_tag_is_said_at_the_end() -> None:
    assert joined(read("a <tool_")) == ("a <tool_", "", [])


@pytest.mark.parametrize(
    "written",
    ["<tool_call>{", '<tool_call>{"name": "x"}', "<tool_call>not JSON</tool_call>", "<tool_call>[]</tool_call>"],
)
def test_half_a_call_is_never_a_call(written: str) -> None:
    with pytest.raises(IncompleteAnswer):
        read(written)


def test_an_endless_call_is_stopped() -> None:
    with pytest.raises(ModelFailed):
        read("<tool_call>", "x" * 300_000)
