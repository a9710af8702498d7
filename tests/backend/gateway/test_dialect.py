import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.gateway.dialect import AnswerReader, chat_body, complaint_of, completion_body, likelihoods_of
from hearth_backend.gateway.messages import (
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    Finished,
    Likelihood,
    ReasoningDelta,
    Sampling,
    TextDelta,
)
from hearth_shared.errors import IncompleteAnswer, ModelFailed

pytestmark = pytest.mark.unit

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["choices", "delta", "content", "tool_calls", "function", "arguments", "index", "usage", "error", "finish_reason"]
)
chunks = st.recursive(anything, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5))


def chunk(finish: str | None = None, **delta: Any) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def test_openai_itself_gets_the_new_name_of_the_limit() -> None:
    request = ChatRequest([ChatMessage("user", "hi")], sampling=Sampling(max_tokens=5))
    assert chat_body(request, "m", local=False)["max_tokens"] == 5
    body = chat_body(request, "m", local=False, openai_itself=True)
    assert (body["max_completion_tokens"], "max_tokens" in body) == (5, False)


def test_thinking_is_told_apart_by_either_name() -> None:
    reader = AnswerReader()
    assert reader.read(chunk(reasoning_content="a")) == [ReasoningDelta("a")]
    assert reader.read(chunk(reasoning="b", content="c")) == [ReasoningDelta("b"), TextDelta("c")]


def test_tokens_that_nobody_counted_are_estimated_and_said_to_be() -> None:
    reader = AnswerReader(asked_characters=40)
    reader.read(chunk("stop", content="12345678"))
    assert reader.finished() == Finished("stop", 10, 2, counted=False)


def test_an_unknown_reason_is_an_end_all_the_same() -> None:
    reader = AnswerReader()
    reader.read(chunk("eos"))
    assert reader.finished().reason == "stop"


def test_a_limit_reached_is_said() -> None:
    reader = AnswerReader()
    reader.read(chunk("length", content="a"))
    assert reader.finished().reason == "length"


@given(chunks)
def test_no_chunk_whatever_breaks_the_reader(value: Any) -> None:
    reader = AnswerReader()
    try:
        for event in reader.read(json.dumps(value)):
            assert event
        reader.finished()
    except (ModelFailed, IncompleteAnswer):
        pass


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "too  long\\n"}}', "too long"),
        (b'{"error": "plain"}', "plain"),
        (b"<html>", ""),
        (b'{"detail": "x"}', ""),
        (b'[{"error": 1}]', ""),
    ],
)
def test_a_refusal_is_read_for_its_reason(body: bytes, said: str) -> None:
    assert complaint_of(body) == said


def test_likelihoods_are_asked_for_and_read_in_both_shapes() -> None:
    asked = Sampling(logprobs=2)
    assert chat_body(ChatRequest([], sampling=asked), "m", local=True)["top_logprobs"] == 2
    assert completion_body(CompletionRequest("x", sampling=asked), "m", local=True)["logprobs"] == 2
    told = {"content": [{"token": "a", "logprob": -1, "bytes": [195], "top_logprobs": [{"token": "b", "logprob": -2}]}]}
    assert likelihoods_of(told) == (Likelihood("\udcc3", -1.0, (("b", -2.0),)),)
    columns = {"tokens": ["a"], "token_logprobs": [-1.5], "top_logprobs": [{"b": -2}], "text_offset": [0]}
    assert likelihoods_of(columns) == (Likelihood("a", -1.5, (("b", -2.0),)),)


@pytest.mark.parametrize(
    "said",
    [None, "x", [], {"content": 5}, {"content": [{"token": "a"}]}, {"tokens": ["a"], "token_logprobs": []}, {"x": 1}],
)
def test_likelihoods_that_are_none_are_left_out(said: object) -> None:
    assert likelihoods_of(said) == ()
