"""Performs a call within its tool's limits: so many a minute, so long, so much of an answer, cleaned.

What a tool that only reads gave is given again while three things hold: it is not older than the tool's `cache_s`, the
tool's `stamp` is the same, and no tool has changed anything since.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeVar

from hearth_backend.resilience import TokenBucket
from hearth_backend.tools.binding import canonical
from hearth_backend.tools.output import cleaned
from hearth_backend.tools.tool import AnyTool, Arguments, ToolContext, ToolResult
from hearth_shared.errors import HearthError, ToolFailed

T = TypeVar("T")
log = logging.getLogger(__name__)
_BUCKETS: Final = 1024
_KEPT: Final = 256
_KEPT_CHARACTERS: Final = 200_000


class _Kept(NamedTuple):
    result: ToolResult
    stamp: str
    until: float


class Performer:
    """Remembers how often each run called each tool, and what reading calls gave."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], TokenBucket] = OrderedDict()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def perform(self, tool: AnyTool, arguments: Arguments, context: ToolContext) -> ToolResult:
        """The result. Raises HearthError: what goes wrong inside a tool becomes ToolFailed."""
        self._check_rate(tool, context)
        if tool.effect != "read":
            self._kept.clear()
            try:
                return await self._call(tool, arguments, context)
            finally:
                self._kept.clear()
        if not tool.limits.cache_s:
            return await self._call(tool, arguments, context)
        return await self._cached(tool, arguments, context)

    async def _cached(self, tool: AnyTool, arguments: Arguments, context: ToolContext) -> ToolResult:
        whose = [context.owner, sorted(context.spaces), context.local_only]
        key = canonical([tool.name, arguments.model_dump(mode="json"), whose])
        stamp = await _guarded(tool, tool.stamp(arguments, context))
        known = self._kept.get(key)
        if known is not None and known.stamp == stamp and known.until > self._clock():
            self._kept.move_to_end(key)
            return known.result
        result = await self._call(tool, arguments, context)
        if len(result.text) <= _KEPT_CHARACTERS:
            self._kept[key] = _Kept(result, stamp, self._clock() + tool.limits.cache_s)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return result

    async def _call(self, tool: AnyTool, arguments: Arguments, context: ToolContext) -> ToolResult:
        result = await _guarded(tool, tool.call(arguments, context))
        return replace(result, text=cleaned(result.text, tool.limits.output))

    def _check_rate(self, tool: AnyTool, context: ToolContext) -> None:
        key = (context.run_id, tool.name)
        bucket = self._buckets.pop(key, None) or TokenBucket(
            tool.limits.per_minute / 60, float(tool.limits.per_minute), self._clock
        )
        self._buckets[key] = bucket
        while len(self._buckets) > _BUCKETS:
            self._buckets.popitem(last=False)
        if wait := bucket.take():
            raise ToolFailed(
                f"{tool.name} was called more than {tool.limits.per_minute} times in a minute.",
                f"Go on without it, or wait {wait:.0f} s.",
            )


async def _guarded(tool: AnyTool, work: Coroutine[Any, Any, T]) -> T:
    """Whatever a tool does, its run lives on: it may hang, break, or try to end the program."""
    limit = tool.limits.timeout_s
    try:
        async with asyncio.timeout(limit):
            return await work
    except HearthError:
        raise
    except TimeoutError as error:
        unsure = "" if tool.effect == "read" else " Whether it did what it was to do is not known: look."
        raise ToolFailed(
            f"{tool.name} did not come to an end within {limit:g} s.{unsure}", "Go on without it."
        ) from error
    except (Exception, SystemExit) as error:
        log.info("the tool %s broke", tool.name, exc_info=error)
        raise ToolFailed(
            f"{tool.name} broke in the middle of the call ({type(error).__name__}).", "Go on without it."
        ) from error
