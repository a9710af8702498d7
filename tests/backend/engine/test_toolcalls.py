"""Thoughts and tool calls told apart from the answer, in every form local models write them."""

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.toolcalls import CallPart, TaggedAnswer, Thought, Told, Words
from hearth_shared.errors import IncompleteAnswer, ModelFailed

pytestmark = pytest.mark.unit

CALL = '<tool_call>\n{"name": "clock", "arguments": {"zone": "CET"}}\n</tool_call>'
FORMS = {
    "hermes": f"{CALL}\n{CALL}",
    "mistral": '[TOOL_CALLS][{"name": "clock", "arguments": {"zone": "CET"}}, '
    '{"name": "clock", "arguments": {"zone": "CET"}}]',
    "mistral, named": '[TOOL_CALLS]clock[ARGS]{"zone": "CET"}[TOOL_CALLS]clock[ARGS]{"zone": "CET"}',
    "llama": '<|python_tag|>{"name": "clock", "parameters": {"zone": "CET"}}; '
    '{"type": "function", "name": "clock", "parameters": {"zone": "CET"}}',
    "bare": '{"name": "clock", "parameters": {"zone": "CET"}}\n{"name": "clock", "arguments": {"zone": "CET"}}',
    "arguments first": '<tool_call>{"arguments": {"zone": "CET"}, "name": "clock"}</tool_call>'
    '<tool_call>{"name": "clock", "id": 7, "arguments": {"zone": "CET"}}</tool_call>',
}


def read(*pieces: str, tools: Sequence[str] = ("clock",), thinking: bool = False) -> list[Told]:
    reader = TaggedAnswer(tools, thinking=thinking)
    told = [event for piece in pieces for event in reader.feed(piece)]
    return [*told, *reader.finish()]


def joined(told: list[Told]) -> tuple[str, str, list[tuple[str, str]]]:
    """(text, thoughts, calls)"""
    text = "".join(event.text for event in told if isinstance(event, Words))
    thoughts = "".join(event.text for event in told if isinstance(event, Thought))
    calls: list[tuple[str, str]] = []
    for event in told:
        if isinstance(event, CallPart):
            if event.id:
                assert event.index == len(calls)
                calls.append((event.name, ""))
            calls[event.index] = (calls[event.index][0], calls[event.index][1] + event.arguments)
    return text, thoughts, calls


def pieces_of(whole: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    return [whole[start:end] for start, end in pairwise(places)]


cuts = st.lists(st.integers(min_value=0, max_value=160), max_size=12)


def test_plain_text_passes_at_once() -> None:
    assert read("Hel", "lo") == [Words("Hel"), Words("lo")]


@given(cuts)
def test_thoughts_and_calls_are_told_apart_however_the_stream_is_cut(cuts: list[int]) -> None:
    whole = f"<think>\nLet me see.\n</think>\n\nOne < two.\n{CALL}\n{CALL}"
    text, thoughts, calls = joined(read(*pieces_of(whole, cuts)))
    assert (text, thoughts) == ("One < two.\n", "\nLet me see.\n")
    assert [(name, json.loads(arguments)) for name, arguments in calls] == [("clock", {"zone": "CET"})] * 2


@pytest.mark.parametrize("form", FORMS)
@given(cuts)
def test_every_form_gives_the_same_calls_and_no_text(form: str, cuts: list[int]) -> None:
    text, thoughts, calls = joined(read(*pieces_of(FORMS[form], cuts)))
    assert (text, thoughts) == ("", "")
    assert [(name, json.loads(arguments)) for name, arguments in calls] == [("clock", {"zone": "CET"})] * 2


def test_a_call_is_told_while_it_is_written() -> None:
    reader = TaggedAnswer(["clock"])
    assert list(reader.feed('<tool_call>{"name": "clock", "arguments": {"zo')) == [
        CallPart(0, "call_1", "clock"),
        CallPart(0, arguments='{"zo'),
    ]
    assert list(reader.feed('ne": "}"')) == [CallPart(0, arguments='ne": "}"')]
    assert list(reader.feed("}}</tool_")) == [CallPart(0, arguments="}")]


def test_without_tools_a_call_is_only_text() -> None:
    assert joined(read(CALL, tools=())) == (CALL, "", [])


@pytest.mark.parametrize(
    "text", ['{"name": "someone", "parameters": {}}', '{"colour": "red"}', '{"name": "clock"}', "{" + " " * 300]
)
def test_json_that_calls_no_tool_of_ours_is_the_answer(text: str) -> None:
    assert joined(read(*text)) == (text, "", [])


def test_a_thought_begins_an_answer_and_does_not_interrupt_it() -> None:
    assert joined(read("HTML has no <think> tag.")) == ("HTML has no <think> tag.", "", [])


def test_a_thought_that_the_prompt_opened_is_one() -> None:
    assert joined(read("Hm.</think>\nYes.", thinking=True)) == ("Yes.", "Hm.", [])


def test_a_thought_that_never_ends_stays_a_thought() -> None:
    assert joined(read("<think>Hm, ", "and so on")) == ("", "Hm, and so on", [])


def test_what_looked_like_a_tag_is_said_at_the_end() -> None:
    assert joined(read("a <tool_")) == ("a <tool_", "", [])


@pytest.mark.parametrize(
    "written",
    [
        "<tool_call>{",
        '<tool_call>{"name": "x"}',
        "<tool_call>not JSON</tool_call>",
        "<tool_call>[]</tool_call>",
        '<tool_call>{"name": "clock", "arguments": {"zone": CET}}</tool_call>',
        '<tool_call>{"name": "clock", "arguments": {"zone": "CET"}',
        '[TOOL_CALLS][{"name": "clock"',
        "[TOOL_CALLS]clock",
        "<|python_tag|>print(1)",
        '{"name": "clock", "arguments": {"zone"',
    ],
)
def test_half_a_call_is_never_a_call(written: str) -> None:
    with pytest.raises(IncompleteAnswer):
        read(written)


def test_an_endless_call_is_stopped() -> None:
    with pytest.raises(ModelFailed):
        read('<tool_call>{"name": "', "x" * 300_000)


@given(st.lists(st.sampled_from([*'{}[]",: a\\', *FORMS.values(), "<think>", "</think>", "<tool_call>"]), max_size=12))
def test_whatever_is_written_nothing_is_lost_or_it_is_refused(pieces: list[str]) -> None:
    try:
        told = read(*pieces)
    except (IncompleteAnswer, ModelFailed):
        return
    text, thoughts, calls = joined(told)
    assert all(json.loads(arguments) is not None for _, arguments in calls)
    if not calls:
        assert len(text) + len(thoughts) <= sum(map(len, pieces))
