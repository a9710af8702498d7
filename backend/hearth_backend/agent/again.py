"""The tool that shows again what was left out of an old tool result."""

from pydantic import Field

from hearth_backend.agent.transcript import READ_AGAIN
from hearth_backend.tools.tool import Arguments, Tool, ToolContext, ToolResult
from hearth_shared.errors import BadRequest

_MOST = 4000


class Which(Arguments):
    """A result, and from where on."""

    id: str = Field(description="The id that stands where something was left out.")
    start: int = Field(default=0, ge=0, description="The first character to show; 0 at first.")


class ReadAgain(Tool[Which]):
    """Holds the whole results of one run, by the id of the call. What it shows is data, whatever it was before."""

    name = READ_AGAIN
    description = "Show again what was left out of an earlier tool result."
    takes = Which

    def __init__(self) -> None:
        self._results: dict[str, str] = {}

    def keep(self, call_id: str, text: str) -> None:
        """A result, whole."""
        self._results[call_id] = text

    async def call(self, arguments: Which, context: ToolContext) -> ToolResult:
        text = self._results.get(arguments.id)
        if text is None:
            raise BadRequest("There is no result with this id.", "Give the id that stands where something is missing.")
        end = arguments.start + _MOST
        left = len(text) - end
        more = f"\n[{left} characters more, from {end} on]" if left > 0 else ""
        return ToolResult(text[arguments.start : end] + more, trusted=False)
