"""The tool by which an agent gives parts of its work to other agents: a plan, whose parts may wait for each other."""

from typing import Final, Protocol

from pydantic import Field

from hearth_backend.tools.tool import Arguments, Tool, ToolContext, ToolResult
from hearth_shared.errors import BadRequest

MOST_PARTS: Final = 16
_LONGEST_NAME: Final = 60


class Part(Arguments):
    """One part of a plan."""

    id: str = Field(min_length=1, max_length=_LONGEST_NAME, description="a short name for this part, used by `after`")
    goal: str = Field(min_length=1, max_length=20_000, description="what to do, complete: nothing else is told")
    agent: str = Field(default="auto", max_length=64, description="who does it; auto goes by the goal")
    after: tuple[str, ...] = Field(
        default=(), max_length=MOST_PARTS, description="parts that have to end first; their results are handed on"
    )


class Parts(Arguments):
    """A plan."""

    parts: tuple[Part, ...] = Field(
        min_length=1, max_length=MOST_PARTS, description="parts without `after` run at once"
    )


class Plans(Protocol):
    """Who has the parts done. Raises Suspended until all have ended; the same plan of the same run is made once."""

    async def carry_out(self, context: ToolContext, parts: tuple[Part, ...]) -> str: ...


class Delegate(Tool[Parts]):
    """Nothing outside changes by it: whatever a part wants to change is asked for by that part."""

    name = "delegate"
    description = (
        "Give parts of the work to other agents, which work side by side where no part waits for another. Use it when"
        " there are several separate things to do; the results of all parts come back together."
    )
    takes = Parts

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    async def call(self, arguments: Parts, context: ToolContext) -> ToolResult:
        check(arguments.parts)
        return ToolResult(await self._plans.carry_out(context, arguments.parts), trusted=False)


def check(parts: tuple[Part, ...]) -> None:
    """Raises BadRequest for a plan that cannot come to an end: a name twice, one that is not there, or a circle."""
    after = {part.id: part.after for part in parts}
    if len(after) < len(parts):
        twice = next(part.id for part in parts if sum(other.id == part.id for other in parts) > 1)
        raise BadRequest(f"The plan has two parts called {twice!r}.", "Give each part a name of its own.")
    for part in parts:
        for name in part.after:
            if name not in after:
                raise BadRequest(f"{part.id!r} waits for {name!r}, which is no part of the plan.", "Correct `after`.")
    if circle := _circle(after):
        raise BadRequest(
            f"The plan goes in a circle: {' → '.join(circle)}.", "Let one of these begin without the others."
        )


def in_order(parts: tuple[Part, ...]) -> list[Part]:
    """Each part behind those it waits for; of a checked plan."""
    placed: dict[str, Part] = {}
    while len(placed) < len(parts):
        ready = [part for part in parts if part.id not in placed and all(name in placed for name in part.after)]
        placed |= {part.id: part for part in ready}
    return list(placed.values())


def _circle(after: dict[str, tuple[str, ...]]) -> list[str]:
    """The names on a way that comes back to its beginning; none when there is no such way."""
    left = dict(after)
    while free := [name for name, before in left.items() if not any(one in left for one in before)]:
        for name in free:
            del left[name]
    if not left:
        return []
    way = [next(iter(left))]
    while True:  # every name that is left waits for another that is left
        following = next(one for one in left[way[-1]] if one in left)
        if following in way:
            return [*way[way.index(following) :], following]
        way.append(following)
