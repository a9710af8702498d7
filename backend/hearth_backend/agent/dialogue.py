"""The loop of model and tools, by pydantic-ai. Imported on first use only."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pydantic_ai import Agent, ModelRetry, UsageLimits
from pydantic_ai import Tool as AgentTool
from pydantic_ai.exceptions import AgentRunError, UsageLimitExceeded
from pydantic_ai.tools import RunContext

from hearth_backend.agent.again import ReadAgain
from hearth_backend.agent.model import GatewayModel
from hearth_backend.agent.room import Room
from hearth_backend.agent.speech import Speech
from hearth_backend.agent.unknown import UnknownTool
from hearth_backend.gateway.messages import ChatMessage
from hearth_backend.tools.tool import AnyTool
from hearth_shared.errors import BadRequest, ModelFailed

CallTool = Callable[[AnyTool, str, Mapping[str, Any]], Awaitable[str]]
_CALLS = 24


async def converse(
    speech: Speech,
    opening: Sequence[ChatMessage],
    tools: Sequence[AnyTool],
    call: CallTool,
    room: Room,
    calls: int = _CALLS,
    *,
    earlier: Mapping[str, str] | None = None,
) -> None:
    """Let the model speak, at most `calls` times, and use tools until it has answered; its words go by `speech`. Each
    call fits into `room`: old results are shown in short, and a tool shows them again, also the `earlier` ones that
    stand in the opening, by their ids.

    Raises ModelFailed when it comes to no end; what the gateway raises passes through.
    """
    again = ReadAgain()
    for id, text in (earlier or {}).items():
        again.keep(id, text)

    async def kept(tool: AnyTool, call_id: str, arguments: Mapping[str, Any]) -> str:
        result = await call(tool, call_id, arguments)
        again.keep(call_id, result)
        return result

    agent = Agent(
        GatewayModel(speech, opening, room),
        name="hearth",
        deps_type=type(None),
        tools=[_as_agent_tool(tool, kept) for tool in (*tools, again, UnknownTool(tool.name for tool in tools))],
        retries=1,
    )
    try:
        await agent.run("…", deps=None, usage_limits=UsageLimits(request_limit=calls))
    except UsageLimitExceeded as error:
        raise ModelFailed(f"The model asked {calls} times for tools without coming to an answer.") from error
    except AgentRunError as error:
        raise ModelFailed(f"The model's answer could not be used: {error}") from error


def _as_agent_tool(tool: AnyTool, call: CallTool) -> AgentTool[None]:
    async def function(context: RunContext[None], **arguments: Any) -> str:
        try:
            return await call(tool, context.tool_call_id or "", arguments)
        except BadRequest as error:  # the model's mistake: it may try once more
            raise ModelRetry(str(error)) from error

    # One after the other: the journal knows steps by their place in the run.
    return AgentTool[None].from_schema(
        function, tool.name, tool.description, dict(tool.parameters), takes_ctx=True, sequential=True
    )
