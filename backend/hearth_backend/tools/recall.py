"""The tool that asks memory."""

from collections.abc import Collection, Mapping, Sequence
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
    """Finds what was told or noted before; what it finds is cited by its number."""

    name = "recall"
    description = "Search the person's memory and Hearth's documentation for something not among the passages given."
    parameters = _PARAMETERS
    effect: Literal["read", "write"] = "read"

    def __init__(self, memory: Memory, *, token_budget: int = 1200) -> None:
        self._memory = memory
        self._token_budget = token_budget

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        question = arguments.get("question")
        if not isinstance(question, str) or not question.strip():
            raise BadRequest("`question` is missing.", "Give a question or a few words to look for.")
        found = await self._memory.recall(question[:_LONGEST], context.spaces, token_budget=self._token_budget)
        text = f"{len(found)} found." if found else "Nothing was found."
        return ToolResult(text, tuple(found))
