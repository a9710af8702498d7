import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.tools.delegate import Delegate, Part, check, in_order
from hearth_backend.tools.tool import ToolContext
from hearth_shared.errors import BadRequest

pytestmark = pytest.mark.unit
CONTEXT = ToolContext("run_1", "person", frozenset({"main"}), False)


class NoPlans:
    """Nobody carries anything out."""

    async def carry_out(self, context: ToolContext, parts: tuple[Part, ...]) -> str:
        return "done"


def plan(**after: str) -> tuple[Part, ...]:
    return tuple(Part(id=id, goal="g", after=tuple(names.split())) for id, names in after.items())


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (plan(a="a"), "in a circle: a → a"),
        (plan(a="b", b="c", c="a", d=""), "in a circle"),
        (plan(a="x"), "no part of the plan"),
        ((*plan(a=""), *plan(a="")), "two parts called"),
    ],
)
async def test_a_plan_that_cannot_end_is_the_models_to_repair(parts: tuple[Part, ...], why: str) -> None:
    tool = Delegate(NoPlans())
    with pytest.raises(BadRequest, match=why):
        await tool.call(tool.read({"parts": [part.model_dump() for part in parts]}), CONTEXT)


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3), min_size=1))
def test_a_plan_either_has_an_order_or_is_refused(after: dict[str, list[str]]) -> None:
    parts = tuple(Part(id=id, goal="g", after=tuple(names)) for id, names in after.items())
    try:
        check(parts)
    except BadRequest:
        return
    seen: set[str] = set()
    for part in in_order(parts):
        assert set(part.after) <= seen
        seen.add(part.id)
    assert seen == set(after)
