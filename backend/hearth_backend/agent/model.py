"""Our models as a pydantic-ai model. Imported on first use only: pydantic-ai costs a second.

pydantic-ai moves fast and is pinned; this file and `dialogue.py` are all that knows it. Streaming goes by our own
journal, so that only its `request` is needed, and none of its private names.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    RetryFeedbackPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from hearth_backend.agent.context import cost_of
from hearth_backend.agent.room import Room
from hearth_backend.agent.speech import Said, Speech
from hearth_backend.agent.transcript import READ_AGAIN, fitted, is_elided
from hearth_backend.agent.unknown import UNKNOWN
from hearth_backend.gateway.messages import ChatMessage, ToolCall

_NO_OBJECT = "arguments that are no object"


class GatewayModel(Model):
    """Speaks through the gateway. `opening` is what goes before the model first; pydantic-ai's own first message is
    only its place-holder, and what follows (tool calls and results) is added to it."""

    def __init__(self, speech: Speech, opening: Sequence[ChatMessage], room: Room) -> None:
        super().__init__()
        self._speech = speech
        self._opening = tuple(opening)
        self._room = room

    @property
    def model_name(self) -> str:
        return "auto"

    @property
    def system(self) -> str:
        return "hearth"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        _, parameters = self.prepare_request(model_settings, model_request_parameters)
        later = [plain for message in messages[1:] for plain in _plain(message)]
        asked: Sequence[ChatMessage] = (*self._opening, *later)
        if later:  # the opening alone was made to fit before
            asked = await self._room.fitted(lambda budget: fitted(self._opening, later, budget, cost_of))
        said = await self._speech.say(asked, _functions(parameters, again=is_elided(asked)))
        return ModelResponse(
            parts=_parts(said, {tool.name for tool in parameters.function_tools}),
            usage=RequestUsage(input_tokens=said.tokens.input, output_tokens=said.tokens.output),
            model_name=said.made_by.model,
            finish_reason="tool_call" if said.calls else "length" if said.reason == "length" else "stop",
        )


def _parts(said: Said, known: Collection[str]) -> list[ModelResponsePart]:
    parts: list[ModelResponsePart] = [TextPart(said.text)] if said.text else []
    parts += [_call(call, known) for call in said.calls]
    return parts


def _call(call: ToolCall, known: Collection[str]) -> ToolCallPart:
    """A call as pydantic-ai can pass it on: of a tool that it knows, with an object of arguments."""
    if call.name not in known:
        return ToolCallPart(UNKNOWN, {"name": call.name}, tool_call_id=call.id)
    try:
        arguments: Any = json.loads(call.arguments)
    except (ValueError, RecursionError):
        arguments = call.arguments
    if not isinstance(arguments, dict):
        return ToolCallPart(call.name, {_NO_OBJECT: arguments}, tool_call_id=call.id)
    return ToolCallPart(call.name, call.arguments, tool_call_id=call.id)


def _functions(parameters: ModelRequestParameters, *, again: bool) -> list[dict[str, Any]]:
    """The tools in OpenAI's shape; the one that reads again where there is something to read again."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description or "",
                "parameters": tool.parameters_json_schema,
            },
        }
        for tool in parameters.function_tools
        if tool.name != UNKNOWN and (again or tool.name != READ_AGAIN)
    ]


def _plain(message: ModelMessage) -> list[ChatMessage]:
    if isinstance(message, ModelRequest):
        return [plain for part in message.parts if (plain := _asked(part)) is not None]
    text = "".join(part.content for part in message.parts if isinstance(part, TextPart))
    calls = tuple(
        ToolCall(part.tool_call_id, part.tool_name, part.args_as_json_str())
        for part in message.parts
        if isinstance(part, ToolCallPart)
    )
    return [ChatMessage("assistant", text, calls)] if text or calls else []


def _asked(part: object) -> ChatMessage | None:
    match part:
        case ToolReturnPart():
            return ChatMessage("tool", part.model_response_str(), tool_call_id=part.tool_call_id, name=part.tool_name)
        case RetryFeedbackPart():
            return ChatMessage("user", part.model_response())
        case _:
            content = getattr(part, "content", None)
            return ChatMessage("user", content) if isinstance(content, str) and content else None
