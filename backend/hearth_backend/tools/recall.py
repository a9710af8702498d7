"""The tool that asks memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, Protocol

from hearth_backend.tools.tool import ToolContext, ToolResult
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.tasks import Source

_PARAMETERS: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "question": {
                "type": "string",
                "description": "What to look for, as a question or a few words; names and dates help.",
            }
        },
        "required": ["question"],
        "additionalProperties": False,
    }
)
_LONGEST = 4000


class Memory(Protocol):
    """What the tool asks of memory, a room beside this one."""

    async def recall(self, question: str, spaces: Collection[str], *, token_budget: int = 1200) -> Sequence[Source]:
        """The best passages over these spaces, best first."""
        ...


class Recall:
    """Finds what was told or noted before; what it finds is cited by its number. `permits` says what a door may
    recall; what is to stay on this machine is left out where another machine's model may read it."""

    name = "recall"
    description = "Search the person's memory and Hearth's documentation for something not among the passages given."
    parameters = _PARAMETERS
    effect: Literal["read", "write"] = "read"

    def __init__(
        self,
        memory: Memory,
        *,
        token_budget: int = 1200,
        permits: Callable[[str, Source], bool] = lambda door, source: True,
    ) -> None:
        self._memory = memory
        self._token_budget = token_budget
        self._permits = permits

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        question = arguments.get("question")
        if not isinstance(question, str) or not question.strip():
            raise BadRequest("`question` is missing.", "Give a question or a few words to look for.")
        found = await self._memory.recall(question[:_LONGEST], context.spaces, token_budget=self._token_budget)
        allowed = [source for source in found if self._permits(context.door, source)]
        shown = [source for source in allowed if context.local_only or not source.local_only]
        text = f"{len(shown)} found." if shown else "Nothing was found."
        if len(shown) < len(allowed):
            text += f" {len(allowed) - len(shown)} more must stay on this machine, and were left out."
        return ToolResult(text, tuple(shown))
