import asyncio
from dataclasses import replace

import pytest

from hearth_backend.tools.clock import NoArguments
from hearth_backend.tools.performing import Performer
from hearth_backend.tools.tool import Effect, Limits, Tool, ToolContext, ToolResult
from hearth_shared.errors import NotFound, ToolFailed
from support.clock import Clock

pytestmark = pytest.mark.unit

CONTEXT = ToolContext("run_1", "person", frozenset({"main"}), False)


_PLAIN = Limits()


class Odd(Tool[NoArguments]):
    """Does as it is told, and counts."""

    name = "odd"
    description = "Odd."
    takes = NoArguments

    def __init__(
        self, does: BaseException | str | None = "ok", effect: Effect = "read", limits: Limits = _PLAIN
    ) -> None:
        self.does = does
        self.effect = effect
        self.limits = limits
        self.calls = 0
        self.state = "1"

    async def stamp(self, arguments: NoArguments, context: ToolContext) -> str:
        return self.state

    async def call(self, arguments: NoArguments, context: ToolContext) -> ToolResult:
        self.calls += 1
        if self.does is None:
            await asyncio.Event().wait()
        if isinstance(self.does, BaseException):
            raise self.does
        return ToolResult(str(self.does))


async def perform(tool: Odd, performer: Performer | None = None, context: ToolContext = CONTEXT) -> str:
    return (await (performer or Performer()).perform(tool, NoArguments(), context)).text


async def test_a_tool_that_hangs_is_given_up() -> None:
    with pytest.raises(ToolFailed, match=r"odd did not come to an end within 0\.01 s"):
        await perform(Odd(None, limits=Limits(timeout_s=0.01)))
    with pytest.raises(ToolFailed, match="is not known"):
        await perform(Odd(None, "write", Limits(timeout_s=0.01)))


@pytest.mark.parametrize("fault", [ValueError("secret detail"), SystemExit(3), RecursionError(), MemoryError()])
async def test_a_tool_that_breaks_or_wants_to_end_the_program_is_only_a_failed_call(fault: BaseException) -> None:
    with pytest.raises(ToolFailed, match="broke in the middle") as raised:
        await perform(Odd(fault))
    assert "secret detail" not in str(raised.value)


async def test_what_a_tool_says_is_wrong_is_kept() -> None:
    with pytest.raises(NotFound, match="No such thing"):
        await perform(Odd(NotFound("No such thing.")))


async def test_a_flood_is_cut() -> None:
    assert "characters left out" in await perform(Odd("x" * 1_000_000, limits=Limits(output=100)))


async def test_so_many_calls_a_minute_and_run() -> None:
    clock = Clock()
    performer, tool = Performer(clock), Odd(limits=Limits(per_minute=2))
    assert [await perform(tool, performer) for _ in range(2)] == ["ok", "ok"]
    with pytest.raises(ToolFailed, match="more than 2 times in a minute"):
        await perform(tool, performer)
    assert await perform(tool, performer, replace(CONTEXT, run_id="run_2")) == "ok"
    clock.pass_(30)
    assert await perform(tool, performer) == "ok"


async def test_what_was_read_is_given_again_until_something_changed() -> None:
    clock = Clock()
    performer, tool = Performer(clock), Odd(limits=Limits(cache_s=60))

    async def calls_after_another() -> int:
        await perform(tool, performer)
        return tool.calls

    assert [await calls_after_another() for _ in range(2)] == [1, 1]
    tool.state = "2"
    assert await calls_after_another() == 2  # the world is another
    clock.pass_(61)
    assert await calls_after_another() == 3  # too old
    await perform(Odd(effect="write"), performer)
    assert await calls_after_another() == 4  # something was changed
    await perform(tool, performer, replace(CONTEXT, owner="client:x"))
    assert tool.calls == 5  # somebody else's
