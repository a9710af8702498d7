"""The tool that shows again what was left out of an old tool result."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from hearth_backend.agent.transcript import READ_AGAIN
from hearth_backend.tools.tool import ToolContext, ToolResult
from hearth_shared.errors import BadRequest

_MOST = 4000
_PARAMETERS: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "The id that stands where something was left out."},
            "start": {"type": "integer", "minimum": 0, "description": "The first character to show; 0 at first."},
        },
        "required": ["id"],
        "additionalProperties": False,
    }
)


class ReadAgain:
    """Holds the whole results of one run, by the id of the call. What it shows is data, whatever it was before."""

    name = READ_AGAIN
    description = "Show again what was left out of an earlier tool result."
    parameters = _PARAMETERS
    effect: Literal["read", "write"] = "read"

    def __init__(self) -> None:
        self._results: dict[str, str] = {}

    def keep(self, call_id: str, text: str) -> None:
        """A result, whole."""
        self._results[call_id] = text

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        id, start = arguments.get("id"), arguments.get("start", 0)
        if not isinstance(id, str) or id not in self._results:
            raise BadRequest("There is no result with this id.", "Give the id that stands where something is missing.")
        if not isinstance(start, int) or start < 0:
            raise BadRequest("`start` is no place in the result.", "Give a number from 0 on.")
        text = self._results[id]
        left = len(text) - start - _MOST
        more = f"\n[{left} characters more, from {start + _MOST} on]" if left > 0 else ""
        return ToolResult(text[start : start + _MOST] + more, trusted=False)
