import pytest

from hearth_backend.tools.notify import Notify
from hearth_backend.tools.tool import ToolContext
from hearth_shared.errors import BadRequest
from support.places import CONTEXT

pytestmark = pytest.mark.unit


async def test_the_person_is_told_and_nothing_else_happens() -> None:
    told: list[tuple[str, str]] = []

    async def tell(text: str, context: ToolContext) -> None:
        told.append((text, context.run_id))

    tool = Notify(tell)
    assert tool.effect == "read"
    result = await tool.call(tool.read({"text": "Half way."}), CONTEXT)
    assert (result.text, told) == ("The person has been told.", [("Half way.", "run_1")])
    assert tool.limits.per_minute == 3
    with pytest.raises(BadRequest):
        tool.read({"text": "x" * 501})
