import json
from collections.abc import Sequence
from typing import Any

import pytest

from hearth_backend.api.compat import ollama
from hearth_backend.api.compat.ollama_bodies import ChatBody, GenerateBody, bare
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    ChatRequest,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from hearth_shared.errors import BadRequest, HearthError, IncompleteAnswer, ModelFailed
from support.scripted_models import CHOSEN, FINISHED, ScriptedModels

pytestmark = pytest.mark.unit

CALLER, ASKED = Caller("req_1", "http"), ChatRequest(messages=[])


def said(text: str, thinking: str, calls: Sequence[ToolCall]) -> dict[str, Any]:
    return {"text": text, "thinking": thinking, "calls": [(call.name, call.arguments) for call in calls]}


async def streamed(script: Sequence[ChatEvent | Exception], *, thinks: bool = True) -> list[dict[str, Any]]:
    events = ScriptedModels(script).chat(ASKED, CALLER)
    return [json.loads(line) async for line in ollama.lines(events, said, thinks, 0)]


async def test_calls_come_whole_and_the_last_line_counts() -> None:
    lines = await streamed(
        [CHOSEN, TextDelta("Hm"), ToolCallDelta(0, "a", "look", '{"a'), ToolCallDelta(0, arguments='t": 1}'), FINISHED]
    )
    assert [line["text"] for line in lines] == ["Hm", "", ""]
    assert lines[1]["calls"] == [["look", '{"at": 1}']]
    assert [line["done"] for line in lines] == [False, False, True]
    assert (lines[-1]["prompt_eval_count"], lines[-1]["eval_count"]) == (7, 3)


@pytest.mark.parametrize("thinks", [True, False])
async def test_thinking_is_left_out_when_it_is_not_wanted(thinks: bool) -> None:
    lines = await streamed([CHOSEN, ReasoningDelta("hm"), TextDelta("yes"), FINISHED], thinks=thinks)
    assert [line["thinking"] for line in lines if line["thinking"]] == ["hm"] * thinks


@pytest.mark.parametrize(
    "script",
    [
        [CHOSEN, TextDelta("Hel")],
        [CHOSEN, TextDelta("Hel"), ModelFailed("x")],
        [CHOSEN, TextDelta("Hel"), Restart("gone"), CHOSEN, TextDelta("Hello"), FINISHED],
    ],
)
async def test_what_breaks_is_never_done(script: list[ChatEvent | Exception]) -> None:
    with pytest.raises((IncompleteAnswer, ModelFailed)):
        await streamed(script)


async def test_half_a_call_of_a_model_that_broke_is_dropped() -> None:
    half = ToolCallDelta(0, "a", "look", '{"a')
    lines = await streamed([CHOSEN, half, Restart("gone"), CHOSEN, TextDelta("yes"), FINISHED])
    assert [line["calls"] for line in lines] == [[], []]


def test_results_answer_the_calls_of_their_name_in_order() -> None:
    calls = [{"function": {"name": name, "arguments": {"n": n}}} for n, name in enumerate(("look", "hear", "look"))]
    results = [{"role": "tool", "tool_name": name, "content": "x"} for name in ("hear", "look", "look", "look")]
    body = ChatBody.model_validate({"messages": [{"role": "assistant", "tool_calls": calls}, *results]})
    asked = body.asked().messages
    made = [call.id for call in asked[0].tool_calls]
    assert len(set(made)) == 3
    assert [one.tool_call_id for one in asked[1:]] == [made[1], made[0], made[2], ""]


def test_raw_text_and_a_suffix_go_on_and_the_rest_is_answered() -> None:
    assert GenerateBody.model_validate({"prompt": "a", "raw": True}).goes_on
    filled = GenerateBody.model_validate({"model": "m:latest", "prompt": "a", "suffix": "b"})
    assert filled.goes_on
    assert (filled.completion().prefix, filled.completion().suffix, filled.completion().model) == ("a", "b", "m")
    assert not GenerateBody.model_validate({"prompt": "a"}).goes_on


def test_only_around_a_cursor_a_text_may_be_cut() -> None:
    assert GenerateBody.model_validate({"prompt": "a", "raw": True}).completion().budget is None
    assert GenerateBody.model_validate({"prompt": "a", "suffix": "b"}).completion().budget == 0


def test_a_limit_below_zero_is_none_and_json_is_a_format() -> None:
    body = ChatBody.model_validate({"options": {"num_predict": -1, "num_ctx": 8192}, "format": "json"})
    assert body.sampling().max_tokens is None
    assert body.response_format() == {"type": "json_object"}


def test_a_template_is_refused_by_name() -> None:
    with pytest.raises(BadRequest, match="template"):
        GenerateBody.model_validate({"prompt": "a", "template": "{{ .Prompt }}"}).asked()


@pytest.mark.parametrize(("name", "meant"), [("m:latest", "m"), ("m:8b", "m:8b"), ("near/m", "near/m"), ("", "")])
def test_latest_says_nothing(name: str, meant: str) -> None:
    assert bare(name) == meant


def test_a_failure_in_mid_stream_is_a_line_of_its_own() -> None:
    line = ollama.failed(HearthError("It broke.", "Mend it."), "req_1")
    assert line.endswith(b"\n")
    assert json.loads(line)["error"] == "It broke. Mend it."
