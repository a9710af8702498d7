from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from hearth_backend.tools.tool import Arguments, Tool, ToolContext, ToolResult
from hearth_shared.errors import BadRequest
from support.places import CONTEXT

pytestmark = pytest.mark.unit
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


class Thing(Arguments):
    """What it takes."""

    title: str = Field(description="A title.")
    count: int = 1
    tags: tuple[str, ...] = ()


class Maker(Tool[Thing]):
    """Makes things."""

    name = "maker"
    description = "Makes."
    takes = Thing

    async def call(self, arguments: Thing, context: ToolContext) -> ToolResult:
        return ToolResult(arguments.title)


def test_a_model_is_told_names_types_and_what_they_mean_and_no_more() -> None:
    schema = Maker().parameters
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["title"]
    assert schema["properties"]["title"] == {"type": "string", "description": "A title."}
    assert "title" not in {name for name in schema if name != "properties"}


def test_lists_are_as_good_as_tuples() -> None:
    assert Maker().read({"title": "a", "tags": ["x"]}).tags == ("x",)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "`title`: Field required"),
        ({"title": 3}, "`title`: Input should be a valid string"),
        ({"title": "a", "count": "2"}, "`count`: Input should be a valid integer"),
        ({"title": "a", "more": 1}, "`more`: Extra inputs"),
        ({"title": "x" * 1_048_576}, "too large: 1048589 characters, of 262144"),
        ({"title": "\ud800"}, "are no JSON"),
        ({"title": {1, 2}}, "are no JSON"),
    ],
)
def test_what_is_wrong_with_a_call_is_said(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said) as raised:
        Maker().read(arguments)
    assert raised.value.fix


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_whatever_comes_is_read_or_refused(arguments: dict[str, Any]) -> None:
    try:
        read = Maker().read(arguments)
    except BadRequest:
        return
    assert read.title == arguments["title"]


async def test_rules_see_what_a_call_is_about_and_a_pattern_fits_that_alone() -> None:
    plan = await Maker().plan(Thing(title="a*[b]"), CONTEXT)
    assert plan.subject == {"title": "a*[b]", "count": "1", "tags": "[]"}
    assert Maker().pattern(plan)["title"] == "a[*][[]b]"
