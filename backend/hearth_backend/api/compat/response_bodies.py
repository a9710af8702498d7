"""What clients of OpenAI's responses send. Items that only OpenAI's own servers can read are refused by name."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from hearth_backend.api.compat.bodies import Content, MaxTokens, Number
from hearth_backend.gateway.messages import ChatMessage, ChatRequest, Sampling, ToolCall
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.base import Json

_TEXTS = frozenset({"input_text", "output_text", "text"})
_ROLES = {"developer": "system", "system": "system", "user": "user", "assistant": "assistant"}


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Format(_Body):
    """The shape of the answer's text."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str = Field(default="answer", max_length=256)
    schema_: Json | None = Field(default=None, alias="schema")
    strict: bool | None = None


class TextSettings(_Body):
    """About the answer's text."""

    format: Format = Format()


class Reasoning(_Body):
    """How much to think."""

    effort: str | None = Field(default=None, max_length=32)


class ResponseBody(_Body):
    """POST /v1/responses."""

    model: str | None = Field(default=None, max_length=512)
    input: Content | list[Json] = ""
    instructions: Content | None = None
    previous_response_id: str | None = Field(default=None, max_length=256)
    store: bool | None = None
    stream: bool | None = None
    background: bool | None = None
    tools: list[Json] | None = Field(default=None, max_length=512)
    tool_choice: str | Json | None = None
    parallel_tool_calls: bool | None = None
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    top_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    max_output_tokens: MaxTokens | None = None
    text: TextSettings = TextSettings()
    reasoning: Reasoning | None = None
    metadata: Annotated[dict[str, str], Field(max_length=16)] | None = None

    @property
    def stores(self) -> bool:
        """Whether the answer is kept; OpenAI keeps it unless it is told not to."""
        return self.store is not False

    def items(self) -> list[Json]:
        """This turn's items."""
        if isinstance(self.input, str):
            return [{"type": "message", "role": "user", "content": self.input}]
        return self.input

    def asked(self, before: Sequence[Json]) -> ChatRequest:
        """What the gateway is asked, `before` being earlier turns. Raises BadRequest for what cannot be honoured."""
        if self.background:
            raise BadRequest(
                "A response is not made in the background here.",
                "Submit a task: `POST /v1/agents/assistant/tasks`.",
                field="background",
            )
        system = (ChatMessage(role="system", content=self.instructions),) if self.instructions else ()
        return ChatRequest(
            messages=[*system, *messages([*before, *self.items()])],
            model=self.model,
            sampling=Sampling(max_tokens=self.max_output_tokens, temperature=self.temperature, top_p=self.top_p),
            tools=[_function(tool) for tool in self.tools or ()],
            tool_choice=_choice(self.tool_choice),
            response_format=self._format(),
        )

    def _format(self) -> Json | None:
        wanted = self.text.format
        if wanted.type == "json_schema":
            schema = {"name": wanted.name, "schema": wanted.schema_ or {}, "strict": bool(wanted.strict)}
            return {"type": "json_schema", "json_schema": schema}
        return {"type": "json_object"} if wanted.type == "json_object" else None


def messages(items: Sequence[Json]) -> list[ChatMessage]:
    """For a model. Calls that follow each other belong to one message; earlier thinking is left out."""
    said: list[ChatMessage] = []
    calls: list[ToolCall] = []

    def close() -> None:
        if calls:
            said.append(ChatMessage(role="assistant", tool_calls=tuple(calls)))
            calls.clear()

    for number, item in enumerate(items):
        match item.get("type", "message"):
            case "message":
                close()
                said.append(_message(item, number))
            case "function_call":
                calls.append(ToolCall(_text(item, "call_id"), _text(item, "name"), _text(item, "arguments")))
            case "function_call_output":
                close()
                said.append(
                    ChatMessage(role="tool", content=_said(item.get("output")), tool_call_id=_text(item, "call_id"))
                )
            case "reasoning":
                pass
            case other:
                raise BadRequest(
                    f"Item {number} is a `{str(other)[:64]}`.",
                    "Send messages, function calls and their outputs only.",
                    field=f"input.{number}",
                )
    close()
    if not said:
        raise BadRequest("`input` says nothing.", "Send a text or a list of items.", field="input")
    return said


def _message(item: Json, number: int) -> ChatMessage:
    role = _ROLES.get(str(item.get("role")))
    if role is None:
        raise BadRequest(
            f"Item {number} has no role that is known.", "Use user, assistant or system.", field=f"input.{number}.role"
        )
    return ChatMessage(role=role, content=_said(item.get("content"), number))  # pyright: ignore[reportArgumentType]


def _said(content: Any, number: int = -1) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    texts: list[str] = []
    for part in _parts(content):
        kind = part.get("type")
        if kind in _TEXTS:
            texts.append(str(part.get("text", "")))
        elif kind == "refusal":
            texts.append(str(part.get("refusal", "")))
        else:
            where = "A tool's output" if number < 0 else f"Item {number}"
            raise BadRequest(f"{where} holds something other than text.", "Send text only.", field="input")
    return "\n".join(texts)


def _parts(content: Any) -> list[Json]:
    parts = cast("list[Any]", content) if isinstance(content, list) else [content]
    return [cast("Json", part) if isinstance(part, dict) else {} for part in parts]


def _text(item: Json, name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else json.dumps(value) if value is not None else ""


def _function(tool: Json) -> Json:
    """In the shape of chat completions."""
    if tool.get("type") != "function":
        raise BadRequest(
            f"The tool `{str(tool.get('type'))[:64]}` runs on OpenAI's servers only.", "Leave it out.", field="tools"
        )
    return {"type": "function", "function": {key: value for key, value in tool.items() if key != "type"}}


def _choice(choice: str | Json | None) -> str | Json | None:
    if isinstance(choice, dict) and choice.get("type") == "function" and "name" in choice:
        return {"type": "function", "function": {"name": choice["name"]}}
    return choice
