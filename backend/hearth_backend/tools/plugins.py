"""Tools of other packages: an entry point of the group `hearth.tools` names a tool, or a function that makes one.

What goes wrong in one of them takes that one away, and nothing else. What they say is never trusted.
"""

import logging
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, NamedTuple, cast

from hearth_backend.tools.tool import AnyTool, Arguments, Effect, Limits, Plan, Tool, ToolContext, ToolResult

log = logging.getLogger(__name__)
GROUP: Final = "hearth.tools"
_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}")


class Found(NamedTuple):
    """The tools there are, and what is wrong with the others, for a person."""

    tools: Sequence[AnyTool]
    problems: Sequence[str]


class Foreign(Tool[Any]):
    """Somebody else's tool: as it says it is, but what it gives is words of strangers, and nobody knows whether it may
    be done twice."""

    def __init__(self, inner: AnyTool) -> None:
        self.name = inner.name
        self.description = inner.description
        self.takes = inner.takes
        self.effect: Effect = inner.effect
        self.limits: Limits = inner.limits
        self._inner = inner

    async def plan(self, arguments: Arguments, context: ToolContext) -> Plan:
        return await self._inner.plan(arguments, context)

    async def stamp(self, arguments: Arguments, context: ToolContext) -> str:
        return await self._inner.stamp(arguments, context)

    async def call(self, arguments: Arguments, context: ToolContext) -> ToolResult:
        return replace(await self._inner.call(arguments, context), trusted=False)


def found(taken: Collection[str], points: Iterable[EntryPoint] | None = None) -> Found:
    """The tools that are installed beside Hearth; `taken` are names that they may not have."""
    tools: list[AnyTool] = []
    problems: list[str] = []
    names = set(taken)
    for point in entry_points(group=GROUP) if points is None else points:
        try:
            tool = _loaded(point)
            if tool.name in names:
                raise ValueError(f"there is a tool called {tool.name} already")
        except (Exception, SystemExit) as error:  # whatever a stranger's package does while it is loaded
            log.info("the tool %s of another package is left out", point.name, exc_info=error)
            problems.append(f"The tool {point.name} ({point.value}) cannot be used: {error}.")
            continue
        names.add(tool.name)
        tools.append(Foreign(tool))
    return Found(tools, problems)


def _loaded(point: EntryPoint) -> AnyTool:
    made: Any = point.load()
    whole: object = made if isinstance(made, Tool) else made()  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(whole, Tool):
        raise TypeError("it is no Tool")
    tool = cast("AnyTool", whole)
    if not _NAME.fullmatch(tool.name):
        raise ValueError(f"{tool.name!r} is no name for a tool")
    return tool
