"""The tool that tells the time."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from hearth_backend.tools.tool import ToolContext, ToolResult

_PARAMETERS: Mapping[str, Any] = MappingProxyType({"type": "object", "properties": {}, "additionalProperties": False})


def local_now() -> datetime:
    """The time on this machine, with its zone."""
    return datetime.now().astimezone()


class Clock:
    """Tells date and time where the person is."""

    name = "clock"
    description = "The current date, weekday and time where the person is."
    parameters = _PARAMETERS
    effect: Literal["read", "write"] = "read"

    def __init__(self, now: Callable[[], datetime] = local_now) -> None:
        self._now = now

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        now = self._now()
        return ToolResult(
            f"{now:%A}, {now.day} {now:%B %Y, %H:%M} ({now:%Z, UTC%z}); ISO {now.isoformat('T', 'minutes')}"
        )
