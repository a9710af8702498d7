import json
from collections.abc import AsyncGenerator

import pytest

from hearth_backend.gateway.masking import masked_chat, masked_completion, restored
from hearth_backend.gateway.messages import (
    ChatEvent,
    ChatMessage,
    ChatRequest,
    Chosen,
    CompletionRequest,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from support.gateways import collected, text_of

pytestmark = pytest.mark.unit

MAIL = "marie@example.org"


async def stream(*events: ChatEvent) -> AsyncGenerator[ChatEvent]:
    for event in events:
        yield event


def test_everything_said_is_masked_with_one_mark_for_one_value() -> None:
    call = ToolCall("c", "mail", json.dumps({"to": MAIL}))
    messages = [ChatMessage("user", f"Write to {MAIL}"), ChatMessage("assistant", tool_calls=(call,))]
    hidden, vault = masked_chat(ChatRequest([*messages, ChatMessage("tool", f"sent to {MAIL}", tool_call_id="c")]))
    assert MAIL not in repr(hidden)
    assert [message.content for message in hidden.messages] == ["Write to <EMAIL_1>", "", "sent to <EMAIL_1>"]
    assert len(vault) == 1


def test_a_completion_is_masked_around_the_cursor_and_in_other_files() -> None:
    request = CompletionRequest(f"a = '{MAIL}'", f"b = '{MAIL}'", files=[("x.py", f"c = '{MAIL}'")])
    hidden, _ = masked_completion(request)
    assert (hidden.prefix, hidden.suffix, list(hidden.files)) == (
        "a = '<EMAIL_1>'",
        "b = '<EMAIL_1>'",
        [("x.py", "c = '<EMAIL_1>'")],
    )


async def test_marks_cut_in_two_come_back_whole() -> None:
    _, vault = masked_chat(ChatRequest([ChatMessage("user", MAIL)]))
    events = await collected(
        restored(
            stream(
                Chosen("m", "p", "cloud"),
                ReasoningDelta("so <EMA"),
                ReasoningDelta("IL_1>"),
                TextDelta("to <"),
                TextDelta("EMAIL_1>, and 1 <"),
                ToolCallDelta(0, "c", "mail", '{"to": "<EMAIL'),
                ToolCallDelta(0, arguments='_1>"}'),
                Finished("stop", 1, 1),
            ),
            vault,
        )
    )
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == f"so {MAIL}"
    assert text_of(events) == f"to {MAIL}, and 1 <"
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert (calls[0].id, "".join(call.arguments for call in calls)) == ("c", json.dumps({"to": MAIL}))
    assert isinstance(events[-1], Finished)


async def test_with_nothing_masked_the_events_pass_as_they_are() -> None:
    _, vault = masked_chat(ChatRequest([ChatMessage("user", "hello")]))
    events = [TextDelta("<EMAIL_1"), Finished("stop", 1, 1)]
    assert await collected(restored(stream(*events), vault)) == events
