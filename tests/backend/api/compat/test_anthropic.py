import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.api.compat import anthropic
from hearth_backend.api.compat.anthropic_bodies import MessagesBody
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    ChatRequest,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCallDelta,
)
from hearth_shared.errors import BadRequest, HearthError, IncompleteAnswer, ModelFailed
from support.scripted_models import CHOSEN, FINISHED, ScriptedModels

pytestmark = pytest.mark.unit

CALLER, ASKED = Caller("req_1", "http"), ChatRequest(messages=[])
DELTAS = st.one_of(
    st.text(min_size=1).map(TextDelta),
    st.text(min_size=1).map(ReasoningDelta),
    st.builds(ToolCallDelta, st.integers(0, 2), st.just("a"), st.just("look"), st.text()),
)


async def streamed(script: Sequence[ChatEvent | Exception]) -> list[dict[str, Any]]:
    """The events of a stream, decoded; each says its type twice."""
    events = ScriptedModels(script).chat(ASKED, CALLER)
    found: list[dict[str, Any]] = []
    async for piece in anthropic.pieces("msg_1", events):
        kind, data = piece.decode().strip().split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert kind == f"event: {found[-1]['type']}"
    return found


@given(said=st.lists(DELTAS, max_size=12))
async def test_blocks_open_and_close_in_turn_and_lose_nothing(
    said: list[TextDelta | ReasoningDelta | ToolCallDelta],
) -> None:
    events = await streamed([CHOSEN, *said, FINISHED])
    assert (events[0]["type"], events[-2]["type"], events[-1]["type"]) == (
        "message_start",
        "message_delta",
        "message_stop",
    )
    opened: list[int] = []
    kept: list[str] = []
    for event in events[1:-2]:
        match event["type"]:
            case "content_block_start":
                opened.append(event["index"])
            case "content_block_delta":
                assert event["index"] == opened[-1]
                kept.append(
                    next(event["delta"][key] for key in ("text", "thinking", "partial_json") if key in event["delta"])
                )
            case kind:
                assert (kind, event["index"]) == ("content_block_stop", opened[-1])
    assert opened == list(range(len(opened)))
    words = [one.arguments if isinstance(one, ToolCallDelta) else one.text for one in said]
    assert "".join(kept) == "".join(words)
    assert [event["type"] for event in events].count("content_block_stop") == len(opened)


@pytest.mark.parametrize(
    "script",
    [
        [CHOSEN, TextDelta("Hel")],
        [CHOSEN, TextDelta("Hel"), ModelFailed("x")],
        [CHOSEN, TextDelta("Hel"), Restart("gone"), CHOSEN, TextDelta("Hello"), FINISHED],
    ],
)
async def test_what_breaks_is_never_whole(script: list[ChatEvent | Exception]) -> None:
    with pytest.raises((IncompleteAnswer, ModelFailed)):
        await streamed(script)


async def test_another_model_may_begin_again_before_anything_was_said() -> None:
    events = await streamed([CHOSEN, Restart("gone"), CHOSEN, TextDelta("Hello"), FINISHED])
    assert [event["type"] for event in events].count("message_start") == 1
    assert events[2]["delta"] == {"type": "text_delta", "text": "Hello"}


def test_a_turn_of_tools_becomes_openais_messages() -> None:
    body = MessagesBody.model_validate(
        {
            "max_tokens": 5,
            "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "s"},
                        {"type": "tool_use", "id": "a", "name": "look", "input": {"at": 1}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "a",
                            "content": [{"type": "text", "text": "gone"}],
                            "is_error": True,
                        },
                        {"type": "text", "text": "and now?"},
                    ],
                },
            ],
            "tools": [{"name": "look", "input_schema": {"type": "object"}}],
            "tool_choice": {"type": "any"},
        }
    )
    asked = body.asked()
    assert [(one.role, one.content, one.tool_call_id) for one in asked.messages] == [
        ("system", "be brief", ""),
        ("assistant", "", ""),
        ("tool", "Error: gone", "a"),
        ("user", "and now?", ""),
    ]
    assert asked.messages[1].tool_calls[0].arguments == '{"at": 1}'
    assert asked.tool_choice == "required"


@pytest.mark.parametrize(
    "more", [{"tools": [{"name": "web_search", "type": "web_search_20250305"}]}, {"system": [{"type": "image"}]}]
)
def test_what_cannot_be_honoured_is_refused_by_name(more: dict[str, Any]) -> None:
    body = MessagesBody.model_validate({"max_tokens": 5, "messages": [{"role": "user", "content": "x"}], **more})
    with pytest.raises(BadRequest, match=r"web_search|image"):
        body.asked()


def test_a_failure_in_mid_stream_is_an_event_of_its_own() -> None:
    kind, data = anthropic.failed(HearthError("It broke.", "Mend it."), "req_1").decode().strip().split("\n")
    assert kind == "event: error"
    assert json.loads(data.removeprefix("data: "))["error"] == {"type": "api_error", "message": "It broke. Mend it."}
