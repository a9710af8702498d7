"""Stands for every tool that a model calls and that there is not: a step of its own, with an error that says what there
is."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

from hearth_backend.tools.tool import Arguments, Tool, ToolContext, ToolResult
from hearth_shared.display import display
from hearth_shared.errors import BadRequest

UNKNOWN: Final = "unknown_tool"
_LONGEST_NAME: Final = 100


class Called(Arguments):
    """The name that was called."""

    name: str


class UnknownTool(Tool[Called]):
    """Never offered to a model, and never done."""

    name = UNKNOWN
    description = "Stands for a tool that there is not."
    takes = Called

    def __init__(self, known: Iterable[str]) -> None:
        self._known = ", ".join(known) or "none"

    def read(self, arguments: Mapping[str, Any]) -> NoReturn:
        name = display(str(arguments.get("name", ""))[:_LONGEST_NAME], keep="")
        raise BadRequest(f"There is no tool `{name}`.", f"There are: {self._known}.")

    async def call(self, arguments: Called, context: ToolContext) -> ToolResult:
        self.read(arguments.model_dump())
