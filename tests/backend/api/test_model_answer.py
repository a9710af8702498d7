import pytest

from hearth_backend.api.model_answer import gathered
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    ChatRequest,
    Chosen,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from hearth_shared.errors import EngineCrashed, IncompleteAnswer
from support.scripted_models import CHOSEN, FINISHED, ScriptedModels, says

pytestmark = pytest.mark.unit

CALLER = Caller("req_1", "http")
ASKED = ChatRequest(messages=[])


def answering(*script: ChatEvent | Exception) -> ScriptedModels:
    return ScriptedModels(script)


async def test_pieces_become_one_answer() -> None:
    answer = await gathered(ScriptedModels(says("Hello ", "there")).chat(ASKED, CALLER))
    assert (answer.text, answer.reason, answer.made_by.model) == ("Hello there", "stop", "m")
    assert (answer.tokens.input, answer.tokens.output, answer.tokens.cost) == (7, 3, 0.0)


async def test_thoughts_and_tool_calls_are_kept_apart() -> None:
    models = answering(
        CHOSEN,
        ReasoningDelta("hm "),
        ToolCallDelta(1, "b", "clock", "{}"),
        ToolCallDelta(0, "a", "look", '{"at":'),
        ToolCallDelta(0, arguments="1}"),
        FINISHED,
    )
    answer = await gathered(models.chat(ASKED, CALLER))
    assert (answer.text, answer.reasoning) == ("", "hm ")
    assert answer.tool_calls == (ToolCall("a", "look", '{"at":1}'), ToolCall("b", "clock", "{}"))


async def test_what_was_said_before_another_model_began_again_does_not_count() -> None:
    other = Chosen("n", "far", "cloud")
    models = answering(CHOSEN, TextDelta("half"), Restart("it broke"), other, TextDelta("whole"), FINISHED)
    answer = await gathered(models.chat(ASKED, CALLER))
    assert (answer.text, answer.made_by.where) == ("whole", "cloud")


async def test_an_answer_without_its_end_is_none() -> None:
    with pytest.raises(IncompleteAnswer):
        await gathered(answering(CHOSEN, TextDelta("half")).chat(ASKED, CALLER))


async def test_a_failure_passes_through() -> None:
    with pytest.raises(EngineCrashed):
        await gathered(answering(CHOSEN, TextDelta("half"), EngineCrashed("It died.")).chat(ASKED, CALLER))


async def test_at_a_seam_what_was_said_counts() -> None:
    other = Chosen("n", "far", "cloud", seam=True)
    answer = await gathered(answering(CHOSEN, TextDelta("one "), other, TextDelta("two"), FINISHED).chat(ASKED, CALLER))
    assert (answer.text, answer.made_by.where) == ("one two", "cloud")
