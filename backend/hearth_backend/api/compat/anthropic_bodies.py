"""What Anthropic's clients send. Unknown fields are ignored; blocks that cannot be read are refused by name."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hearth_backend.api.compat.bodies import Content, MaxTokens, Number
from hearth_backend.gateway.messages import ChatMessage, ChatRequest, Sampling, ToolCall
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.base import Json


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Block(_Body):
    """A piece of a message: text, a tool call, a tool's result, or the model's own thinking."""

    type: str = Field(max_length=64)
    text: Content | None = None
    id: str = Field(default="", max_length=256)
    name: str = Field(default="", max_length=256)
    input: Any = None
    tool_use_id: str = Field(default="", max_length=256)
    content: Content | list["Block"] | None = None
    is_error: bool | None = None


class Said(_Body):
    """One message."""

    role: Literal["user", "assistant"]
    content: Content | list[Block]

    def messages(self, number: int) -> Iterator[ChatMessage]:
        """For a model: what tools said comes first, each as a message of its own, then the text."""
        blocks = [Block(type="text", text=self.content)] if isinstance(self.content, str) else self.content
        for block in blocks:
            if block.type == "tool_result":
                yield ChatMessage(role="tool", content=_result(block, number), tool_call_id=block.tool_use_id)
        calls = tuple(
            ToolCall(block.id, block.name, json.dumps(block.input if block.input is not None else {}))
            for block in blocks
            if block.type == "tool_use"
        )
        said = list(_texts(blocks, number))
        if said or calls or not blocks:
            yield ChatMessage(role=self.role, content="\n".join(said), tool_calls=calls)


class Tool(_Body):
    """A tool that the client runs."""

    name: str = Field(min_length=1, max_length=256)
    description: Content = ""
    input_schema: Json = {}
    type: str | None = None

    def function(self) -> Json:
        """In OpenAI's shape. Raises BadRequest for a tool that Anthropic's own servers run."""
        if self.type not in (None, "custom"):
            raise BadRequest(
                f"The tool `{self.name}` runs on Anthropic's servers only.", "Leave it out.", field="tools"
            )
        described = {"name": self.name, "description": self.description, "parameters": self.input_schema}
        return {"type": "function", "function": described}


class ToolChoice(_Body):
    """Whether a tool must be called."""

    type: Literal["auto", "any", "tool", "none"]
    name: str = Field(default="", max_length=256)

    def openai(self) -> str | Json:
        """In OpenAI's words."""
        if self.type == "tool":
            return {"type": "function", "function": {"name": self.name}}
        return {"any": "required"}.get(self.type, self.type)


class CountBody(_Body):
    """POST /v1/messages/count_tokens."""

    model: str | None = Field(default=None, max_length=512)
    messages: list[Said] = Field(min_length=1, max_length=4096)
    system: Content | list[Block] | None = None
    tools: list[Tool] | None = Field(default=None, max_length=512)

    def said(self) -> list[ChatMessage]:
        """The conversation, the system's part first."""
        system: list[ChatMessage] = []
        if self.system:
            blocks = [Block(type="text", text=self.system)] if isinstance(self.system, str) else self.system
            system = [ChatMessage(role="system", content="\n".join(_texts(blocks, -1)))]
        return [*system, *(one for number, said in enumerate(self.messages) for one in said.messages(number))]

    def functions(self) -> list[Json]:
        """The tools, in OpenAI's shape."""
        return [tool.function() for tool in self.tools or ()]


class MessagesBody(CountBody):
    """POST /v1/messages."""

    max_tokens: MaxTokens
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    top_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    stop_sequences: Annotated[list[str], Field(max_length=16)] | None = None
    stream: bool | None = None
    tool_choice: ToolChoice | None = None

    def asked(self) -> ChatRequest:
        """What the gateway is asked. Raises BadRequest for what cannot be honoured."""
        return ChatRequest(
            messages=self.said(),
            model=self.model,
            sampling=Sampling(
                max_tokens=self.max_tokens,
                temperature=self.temperature,
                top_p=self.top_p,
                top_k=self.top_k,
                stop=tuple(text for text in self.stop_sequences or () if text),
            ),
            tools=self.functions(),
            tool_choice=self.tool_choice.openai() if self.tool_choice and self.tools else None,
        )


_UNSAID = frozenset({"tool_use", "tool_result", "thinking", "redacted_thinking"})


def _texts(blocks: Sequence[Block], number: int) -> Iterator[str]:
    """The text blocks; a model's earlier thinking is not told to the next one."""
    for block in blocks:
        if block.type == "text":
            yield block.text or ""
        elif block.type not in _UNSAID:
            where = "The system's part" if number < 0 else f"Message {number}"
            raise BadRequest(f"{where} holds a `{block.type}`.", "Send text blocks only.", field="messages")


def _result(block: Block, number: int) -> str:
    if block.content is None or isinstance(block.content, str):
        said = block.content or ""
    else:
        said = "\n".join(_texts(block.content, number))
    return f"Error: {said}" if block.is_error else said
