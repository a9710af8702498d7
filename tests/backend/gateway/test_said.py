import pytest

from hearth_backend.gateway.messages import (
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    ReasoningDelta,
    Sampling,
    TextDelta,
    ToolCallDelta,
)
from hearth_backend.gateway.said import Said, chat_from, completion_from

pytestmark = pytest.mark.unit


def test_text_alone_can_be_gone_on_from() -> None:
    said = Said(keeps=True)
    assert not said.goes_on
    said.saw(ReasoningDelta("hm"))
    assert (said.begun, said.goes_on) == (True, False)
    said.saw(TextDelta("one "))
    said.saw(TextDelta("two"))
    assert (said.goes_on, said.text) == (True, "one two")
    said.saw(ToolCallDelta(0))
    assert not said.goes_on
    said.taken_back()
    assert (said.begun, said.text) == (False, "")


def test_what_nobody_goes_on_from_is_not_kept() -> None:
    said = Said(keeps=False)
    said.saw(TextDelta("one"))
    assert (said.begun, said.goes_on, said.text) == (True, False, "")


def test_a_conversation_goes_on_from_what_was_said_with_the_words_that_are_left() -> None:
    request = ChatRequest([ChatMessage("user", "hi")], sampling=Sampling(max_tokens=10))
    assert chat_from(request, "") is request
    more = chat_from(request, "x" * 12)
    assert [(one.role, one.content) for one in more.messages[:2]] == [("user", "hi"), ("assistant", "x" * 12)]
    assert more.messages[2].role == "user"
    assert more.sampling.max_tokens == 7
    assert chat_from(request, "x" * 400).sampling.max_tokens == 1


def test_a_completion_goes_on_behind_its_text() -> None:
    request = CompletionRequest("def f", suffix="end")
    assert completion_from(request, "") is request
    assert (completion_from(request, "(x)").prefix, completion_from(request, "(x)").suffix) == ("def f(x)", "end")
