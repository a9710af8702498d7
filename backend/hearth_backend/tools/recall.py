"""The tool that asks memory."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from pydantic import Field, field_validator

from hearth_backend.tools.tool import Arguments, Tool, ToolContext, ToolResult
from hearth_shared.protocol.tasks import Source

_LONGEST = 4000


class Memory(Protocol):
    """What the tool asks of memory, a room beside this one."""

    async def recall(self, question: str, spaces: Collection[str], *, token_budget: int = 1200) -> Sequence[Source]:
        """The best passages over these spaces, best first."""
        ...


class Question(Arguments):
    """What to look for."""

    question: str = Field(
        min_length=1, description="What to look for, as a question or a few words; names and dates help."
    )

    @field_validator("question")
    @classmethod
    def _says_something(cls, question: str) -> str:
        if not question.strip():
            raise ValueError("give a question or a few words to look for")
        return question


class Recall(Tool[Question]):
    """Finds what was told or noted before; what it finds is cited by its number. `permits` says what a door may
    recall; what is to stay on this machine is left out where another machine's model may read it."""

    name = "recall"
    description = "Search the person's memory and Hearth's documentation for something not among the passages given."
    takes = Question

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

    async def call(self, arguments: Question, context: ToolContext) -> ToolResult:
        question = arguments.question[:_LONGEST]
        found = await self._memory.recall(question, context.spaces, token_budget=self._token_budget)
        allowed = [source for source in found if self._permits(context.door, source)]
        shown = [source for source in allowed if context.local_only or not source.local_only]
        text = f"{len(shown)} found." if shown else "Nothing was found."
        if len(shown) < len(allowed):
            text += f" {len(allowed) - len(shown)} more must stay on this machine, and were left out."
        return ToolResult(text, tuple(shown), private=any(source.kind == "memory" for source in shown))
