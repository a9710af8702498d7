from dataclasses import replace

import pytest

from hearth_backend.tools.recall import Question, Recall
from hearth_backend.tools.tool import ToolContext
from hearth_shared.errors import BadRequest
from support.memories import SmallMemory, memory

pytestmark = pytest.mark.unit

CONTEXT = ToolContext("run_1", "person", frozenset({"main"}), False)


async def test_it_finds_passages_with_their_sources() -> None:
    found = memory("My dentist is Dr. Ito.")
    result = await Recall(SmallMemory([found])).call(Question(question="dentist"), CONTEXT)
    assert (result.text, result.sources) == ("1 found.", (found,))


async def test_it_says_when_there_is_nothing() -> None:
    assert (await Recall(SmallMemory()).call(Question(question="dentist"), CONTEXT)).text == "Nothing was found."


@pytest.mark.parametrize("arguments", [{}, {"question": ""}, {"question": 3}])
def test_it_needs_a_question(arguments: dict[str, object]) -> None:
    with pytest.raises(BadRequest, match="recall was called wrongly: `question`"):
        Recall(SmallMemory()).read(arguments)


async def test_a_very_long_question_is_cut() -> None:
    remembered = SmallMemory()
    await Recall(remembered).call(Question(question="x" * 10_000), CONTEXT)
    assert len(remembered.asked[0]) == 4000


async def test_what_must_stay_here_is_left_out_of_a_turn_that_may_leave() -> None:
    remembered = SmallMemory(
        [memory("My alarm code is 4711.", local_only=True), memory("An alarm has a code.", "ep_2")]
    )
    result = await Recall(remembered).call(Question(question="alarm code"), CONTEXT)
    assert result.text == "1 found. 1 more must stay on this machine, and were left out."
    assert [source.id for source in result.sources] == ["ep_2"]
    here = replace(CONTEXT, local_only=True)
    assert len((await Recall(remembered).call(Question(question="alarm code"), here)).sources) == 2


async def test_what_a_door_may_not_recall_is_not_there() -> None:
    remembered = SmallMemory([memory("My alarm code is 4711.")])
    tool = Recall(remembered, permits=lambda door, source: door != "browser")
    assert (
        await tool.call(Question(question="alarm code"), replace(CONTEXT, door="browser"))
    ).text == "Nothing was found."
    assert (await tool.call(Question(question="alarm code"), replace(CONTEXT, door="tray"))).text == "1 found."
