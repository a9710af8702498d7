"""The tool that tells the time."""

from collections.abc import Callable
from datetime import datetime

from hearth_backend.tools.tool import Arguments, Tool, ToolContext, ToolResult


class NoArguments(Arguments):
    """Nothing."""


def local_now() -> datetime:
    """The time on this machine, with its zone."""
    return datetime.now().astimezone()


class Clock(Tool[NoArguments]):
    """Tells date and time where the person is."""

    name = "clock"
    description = "The current date, weekday and time where the person is."
    takes = NoArguments

    def __init__(self, now: Callable[[], datetime] = local_now) -> None:
        self._now = now

    async def call(self, arguments: NoArguments, context: ToolContext) -> ToolResult:
        now = self._now()
        return ToolResult(
            f"{now:%A}, {now.day} {now:%B %Y, %H:%M} ({now:%Z, UTC%z}); ISO {now.isoformat('T', 'minutes')}"
        )
