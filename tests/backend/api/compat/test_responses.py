import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.api.compat.response_bodies import ResponseBody, messages
from hearth_backend.api.compat.response_pieces import Told, pieces
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    ChatRequest,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCallDelta,
)
from hearth_shared.errors import BadRequest, Cancelled, IncompleteAnswer
from support.scripted_models import CHOSEN, FINISHED, ScriptedModels

pytestmark = pytest.mark.unit

CALLER, ASKED = Caller("req_1", "http"), ChatRequest(messages=[])
DELTAS = st.one_of(
    st.text(min_size=1).map(TextDelta),
    st.text(min_size=1).map(ReasoningDelta),
    st.builds(ToolCallDelta, st.integers(0, 2), st.just("a"), st.just("look"), st.text()),
)


async def streamed(told: Told, script: Sequence[ChatEvent | Exception]) -> list[dict[str, Any]]:
    events = ScriptedModels(script).chat(ASKED, CALLER)
    return [json.loads(piece.decode().split("\n")[1].removeprefix("data: ")) async for piece in pieces(told, events)]


@given(said=st.lists(DELTAS, max_size=12))
async def test_items_open_and_close_in_turn_and_lose_nothing(
    said: list[TextDelta | ReasoningDelta | ToolCallDelta],
) -> None:
    told = Told("resp_1", 5, ResponseBody(input="x"))
    events = await streamed(told, [CHOSEN, *said, FINISHED])
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert (events[0]["type"], events[-1]["type"]) == ("response.created", "response.completed")
    opened = [event["output_index"] for event in events if event["type"] == "response.output_item.added"]
    closed = [event["output_index"] for event in events if event["type"] == "response.output_item.done"]
    assert opened == closed == list(range(len(opened)))
    words = "".join(one.arguments if isinstance(one, ToolCallDelta) else one.text for one in said)
    assert "".join(event["delta"] for event in events if event["type"].endswith(".delta")) == words
    kept = [item["arguments"] if "arguments" in item else item["content"][0]["text"] for item in told.answer["output"]]
    assert "".join(kept) == words
    assert all(item["status"] == "completed" for item in told.answer["output"])


async def test_what_breaks_is_never_completed() -> None:
    told = Told("resp_1", 5, ResponseBody(input="x"))
    with pytest.raises(IncompleteAnswer):
        await streamed(told, [CHOSEN, TextDelta("Hel"), Restart("gone"), CHOSEN, TextDelta("Hello"), FINISHED])
    assert not told.whole
    assert b"response.failed" in told.failed(IncompleteAnswer("x"))
    assert told.answer["status"] == "failed"


def test_what_was_stopped_says_so() -> None:
    told = Told("resp_1", 5, ResponseBody(input="x"))
    told.failed(Cancelled("Stopped."))
    assert told.answer["status"] == "cancelled"


def test_calls_that_follow_each_other_are_one_message_and_thinking_is_left_out() -> None:
    calls = [{"type": "function_call", "call_id": id, "name": "look", "arguments": "{}"} for id in "ab"]
    outputs = [
        {"type": "function_call_output", "call_id": id, "output": [{"type": "input_text", "text": "x"}]} for id in "ab"
    ]
    said = messages([{"role": "developer", "content": "be brief"}, {"type": "reasoning"}, *calls, *outputs])
    assert [(one.role, [call.id for call in one.tool_calls], one.tool_call_id) for one in said] == [
        ("system", [], ""),
        ("assistant", ["a", "b"], ""),
        ("tool", [], "a"),
        ("tool", [], "b"),
    ]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "x"},
        {"role": "wizard", "content": "x"},
        {"role": "user", "content": [{"type": "input_image", "image_url": "x"}]},
        {"role": "user", "content": [7]},
    ],
)
def test_what_cannot_be_read_is_refused_by_its_place(item: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="Item 0"):
        messages([item])


def test_a_schema_and_a_choice_are_told_in_the_words_of_chat_completions() -> None:
    body = ResponseBody.model_validate(
        {
            "input": "x",
            "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}},
            "tools": [{"type": "function", "name": "look", "parameters": {}}],
            "tool_choice": {"type": "function", "name": "look"},
        }
    )
    asked = body.asked([])
    assert asked.response_format == {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
    }
    assert asked.tool_choice == {"type": "function", "function": {"name": "look"}}
    assert asked.tools == [{"type": "function", "function": {"name": "look", "parameters": {}}}]
