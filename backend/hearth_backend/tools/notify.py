"""The tool that tells the person something while a task is at work."""

from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import Field

from hearth_backend.tools.tool import Arguments, Limits, Plan, Tool, ToolContext, ToolResult

Tell = Callable[[str, ToolContext], Awaitable[None]]
_LONGEST: Final = 500


class Message(Arguments):
    """What to say."""

    text: str = Field(min_length=1, max_length=_LONGEST, description="One or two sentences for the person.")


class Notify(Tool[Message]):
    """Shows a line to the person: on this machine, to nobody else, so that nothing is sent and nothing changed."""

    name = "notify"
    description = "Tell the person something now, while you go on working. Only for what they asked to be told."
    takes = Message
    limits = Limits(per_minute=3)

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    async def plan(self, arguments: Message, context: ToolContext) -> Plan:
        return Plan(subject={"text": arguments.text}, reach=("you",))

    async def call(self, arguments: Message, context: ToolContext) -> ToolResult:
        await self._tell(arguments.text, context)
        return ToolResult("The person has been told.")
