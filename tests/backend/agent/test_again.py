import pytest

from hearth_backend.agent.again import ReadAgain
from hearth_backend.tools.tool import ToolContext
from hearth_shared.errors import BadRequest

pytestmark = pytest.mark.unit
HERE = ToolContext("run_1", "person", frozenset({"main"}), False)


async def test_a_result_can_be_read_again_piece_by_piece() -> None:
    again = ReadAgain()
    again.keep("c1", "a" * 4000 + "b" * 10)
    first = await again.call(again.read({"id": "c1"}), HERE)
    assert first.text == "a" * 4000 + "\n[10 characters more, from 4000 on]"
    assert not first.trusted
    assert (await again.call(again.read({"id": "c1", "start": 4000}), HERE)).text == "b" * 10


@pytest.mark.parametrize(
    "arguments", [{}, {"id": "c2"}, {"id": 7}, {"id": "c1", "start": -1}, {"id": "c1", "start": "x"}]
)
async def test_what_is_not_there_is_said(arguments: dict[str, object]) -> None:
    again = ReadAgain()
    again.keep("c1", "text")
    with pytest.raises(BadRequest):
        await again.call(again.read(arguments), HERE)
