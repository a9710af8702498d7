import json
from typing import Any

import pytest

from hearth_backend.api.compat import chat, completion
from hearth_backend.api.compat.bodies import ChatBody
from hearth_backend.api.model_answer import gathered
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    ChatRequest,
    Chosen,
    Finished,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCallDelta,
)
from hearth_shared.errors import IncompleteAnswer, ModelFailed
from support.scripted_models import CHOSEN, FINISHED, ScriptedModels, says

pytestmark = pytest.mark.unit

CALLER, ASKED = Caller("req_1", "http"), ChatRequest(messages=[])


async def streamed(*script: ChatEvent | Exception, tells_usage: bool = False) -> list[Any]:
    """The chunks, decoded; what is no JSON stays text."""
    events = ScriptedModels(script).chat(ASKED, CALLER)
    return [_decoded(piece) async for piece in chat.chunks("chatcmpl-1", 5, events, tells_usage=tells_usage)]


def _decoded(piece: bytes) -> Any:
    text = piece.decode().removeprefix("data: ").removesuffix("\n\n")
    return text if text == "[DONE]" else json.loads(text)


def deltas(chunks: list[Any]) -> list[Any]:
    return [chunk["choices"][0]["delta"] for chunk in chunks if chunk != "[DONE]" and chunk["choices"]]


async def test_a_stream_has_a_role_pieces_a_reason_and_an_end() -> None:
    chunks = await streamed(*says("Hel", "lo"))
    assert deltas(chunks) == [{"role": "assistant", "content": ""}, {"content": "Hel"}, {"content": "lo"}, {}]
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1] == "[DONE]"
    assert {chunk["model"] for chunk in chunks[:-1]} == {"m"}


async def test_usage_is_one_more_chunk_without_choices() -> None:
    usage = (await streamed(*says("x"), tells_usage=True))[-2]
    assert usage["choices"] == []
    assert usage["usage"]["prompt_tokens_details"] == {"cached_tokens": 2}


async def test_thoughts_and_calls_have_their_own_fields() -> None:
    call = ToolCallDelta(0, "a", "look", '{"at"')
    chunks = await streamed(CHOSEN, ReasoningDelta("hm"), call, ToolCallDelta(0, arguments=":1}"), FINISHED)
    assert deltas(chunks)[1:4] == [
        {"reasoning_content": "hm"},
        {
            "tool_calls": [
                {"index": 0, "id": "a", "type": "function", "function": {"name": "look", "arguments": '{"at"'}}
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
    ]


async def test_a_model_that_stands_in_before_anything_was_said_is_not_noticed() -> None:
    chunks = await streamed(CHOSEN, Restart("broke"), Chosen("n", "far", "cloud"), TextDelta("x"), FINISHED)
    assert deltas(chunks)[-2] == {"content": "x"}
    assert chunks[-2]["model"] == "n"


@pytest.mark.parametrize("end", [ModelFailed("broke"), Restart("broke")])
async def test_what_was_streamed_is_never_followed_by_another_beginning(end: ChatEvent | Exception) -> None:
    with pytest.raises(ModelFailed):
        await streamed(CHOSEN, TextDelta("half"), end, CHOSEN, TextDelta("whole"), FINISHED)


async def test_a_stream_without_its_end_raises_in_both_shapes() -> None:
    with pytest.raises(IncompleteAnswer):
        await streamed(CHOSEN, TextDelta("half"))
    events = ScriptedModels([CHOSEN, TextDelta("half")]).chat(ASKED, CALLER)
    with pytest.raises(IncompleteAnswer):
        async for _ in completion.chunks("cmpl-1", 5, events, tells_usage=False):
            pass


async def test_a_whole_answer_with_calls_has_no_content() -> None:
    script = [CHOSEN, ToolCallDelta(0, "a", "look", "{}"), Finished("tool_calls", 1, 2)]
    told = chat.whole("chatcmpl-1", 5, await gathered(ScriptedModels(script).chat(ASKED, CALLER)))
    message = told["choices"][0]["message"]
    assert message["content"] is None
    assert message["tool_calls"] == [{"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}]
    assert told["choices"][0]["finish_reason"] == "tool_calls"
    assert told["usage"]["total_tokens"] == 3


async def test_a_text_of_half_a_character_can_be_sent() -> None:
    assert chat.event({"text": "\ud83d"}) == b'data: {"text":"?"}\n\n'


def test_the_newer_limit_of_tokens_goes_before_the_older() -> None:
    body = ChatBody.model_validate(
        {"messages": [{"role": "user", "content": "x"}], "max_tokens": 5, "max_completion_tokens": 9}
    )
    assert chat.asked(body).sampling.max_tokens == 9
