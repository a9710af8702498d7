"""A span times its work, knows its place, and finds its way back."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from hearth_backend.observe.spans import Span, Untraced, current, new_id
from hearth_shared.errors import NoModel

pytestmark = pytest.mark.unit


@pytest.fixture
def kept() -> list[Span]:
    return []


def span(kept: list[Span], name: str = "model") -> Span:
    return Span(kept.append, name, "a" * 32, None, {})


def test_a_span_is_kept_when_it_ends(kept: list[Span]) -> None:
    with span(kept) as inside:
        inside.set(model="m", tokens=3)
        assert not kept
    assert kept == [inside]
    assert inside.attributes == {"model": "m", "tokens": 3}
    assert inside.ms >= 0


def test_it_is_the_current_one_only_while_it_lasts(kept: list[Span]) -> None:
    with span(kept) as inside:
        assert current.get() is inside
    assert current.get() is None


def test_an_error_that_passes_marks_it_with_its_code(kept: list[Span]) -> None:
    with pytest.raises(NoModel), span(kept):
        raise NoModel("None is connected.")
    assert kept[0].error == "no_model"


def test_a_foreign_error_marks_it_with_its_class(kept: list[Span]) -> None:
    with pytest.raises(KeyError), span(kept):
        raise KeyError
    assert kept[0].error == "KeyError"


def test_a_failure_said_by_name_stays(kept: list[Span]) -> None:
    failing = span(kept)
    failing.fail("model_failed")
    with pytest.raises(KeyError), failing:
        raise KeyError
    assert kept[0].error == "model_failed"


async def test_a_task_started_inside_sees_the_span_around_it(kept: list[Span]) -> None:
    async def look() -> object:
        await asyncio.sleep(0)
        return current.get()

    with span(kept) as inside:
        task = asyncio.create_task(look())
    assert await task is inside


async def test_a_generator_closed_in_another_context_still_ends_its_span(kept: list[Span]) -> None:
    async def stream() -> AsyncGenerator[int]:
        with span(kept):
            yield 1
            yield 2

    pieces = stream()
    await anext(pieces)
    await asyncio.create_task(pieces.aclose())
    assert len(kept) == 1
    assert kept[0].error == ""


def test_untraced_work_has_one_trace_id_for_all_inside_it() -> None:
    with Untraced() as outer, Untraced(outer) as inner:
        inner.set(anything=1)
        inner.fail("anything")
        assert inner.trace_id == outer.trace_id
        assert inner.traceparent.endswith("-00")
    assert current.get() is None


def test_ids_have_the_width_that_was_asked_for() -> None:
    assert len(new_id(64)) == 16
    assert len(new_id(128)) == 32
