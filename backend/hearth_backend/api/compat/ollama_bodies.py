"""What Ollama's clients send. Options that only tell Ollama how to run a model (`num_ctx`, `num_gpu`, `num_thread`,
`keep_alive`, …) are for Hearth's own plan to decide and are ignored; what cannot be honoured is refused by name."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hearth_backend.api.compat.bodies import Content, Number
from hearth_backend.gateway.messages import ChatMessage, ChatRequest, CompletionRequest, Sampling, ToolCall
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.base import Json

_LATEST = ":latest"
Name = Annotated[str, Field(max_length=512)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Options(_Body):
    """How to choose words. `num_predict` below 0 is no limit of the client's."""

    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    top_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    min_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    frequency_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    num_predict: Annotated[int, Field(ge=-2, le=1_000_000)] | None = None

    def sampling(self) -> Sampling:
        """For a model."""
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        limit = self.num_predict
        return Sampling(
            max_tokens=limit if limit is not None and limit > 0 else None,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            frequency_penalty=self.frequency_penalty,
            presence_penalty=self.presence_penalty,
            seed=self.seed,
            stop=tuple(text for text in stop if text),
        )


class _Asking(_Body):
    model: Name = ""
    options: Options | None = None
    format: Literal["", "json"] | Json | None = None
    stream: bool | None = None
    think: bool | str | None = None

    @property
    def streams(self) -> bool:
        """Ollama streams unless it is told not to."""
        return self.stream is not False

    @property
    def thinks(self) -> bool:
        """Whether the model's thinking is shown."""
        return self.think is not False

    @property
    def named(self) -> str:
        """The model without `:latest`, which Ollama's clients add to every name that has no tag."""
        return bare(self.model)

    def response_format(self) -> Json | None:
        """In OpenAI's shape."""
        if not self.format:
            return None
        if isinstance(self.format, str):
            return {"type": "json_object"}
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": self.format}}

    def sampling(self) -> Sampling:
        """For a model."""
        return (self.options or Options()).sampling()


class Function(_Body):
    """The function of a call; its arguments are an object, not a text."""

    name: str = Field(max_length=256)
    arguments: Any = None


class Called(_Body):
    """A tool call that the model made before."""

    id: str = Field(default="", max_length=256)
    function: Function


class Said(_Body):
    """One message."""

    role: Literal["system", "user", "assistant", "tool"]
    content: Content = ""
    images: list[Any] | None = None
    tool_calls: list[Called] | None = Field(default=None, max_length=128)
    tool_name: str | None = Field(default=None, max_length=256)
    tool_call_id: str | None = Field(default=None, max_length=256)


class ChatBody(_Asking):
    """POST /api/chat."""

    messages: list[Said] = Field(default=[], max_length=4096)
    tools: list[Json] | None = Field(default=None, max_length=512)

    def asked(self) -> ChatRequest:
        """What the gateway is asked."""
        return ChatRequest(
            messages=_messages(self.messages),
            model=self.named,
            sampling=self.sampling(),
            tools=self.tools or (),
            response_format=self.response_format(),
        )


class GenerateBody(_Asking):
    """POST /api/generate. With a suffix or `raw` the model goes on from the text; else it answers it."""

    prompt: Content = ""
    suffix: Content | None = None
    system: Content | None = None
    template: Content | None = None
    images: list[Any] | None = None
    raw: bool | None = None

    @property
    def goes_on(self) -> bool:
        """Whether the prompt is a text to go on from, not something said."""
        return bool(self.raw or self.suffix)

    def completion(self) -> CompletionRequest:
        """What the gateway is asked when the model goes on."""
        budget = 0 if self.suffix else None  # around a cursor what is far gives way; any other text is never cut
        return CompletionRequest(self.prompt, self.suffix, model=self.named, sampling=self.sampling(), budget=budget)

    def asked(self) -> ChatRequest:
        """What the gateway is asked when the model answers. Raises BadRequest for what cannot be honoured."""
        if self.template:
            raise BadRequest("A model answers by its own template here.", "Leave `template` out.", field="template")
        system = (Said(role="system", content=self.system),) if self.system else ()
        said = Said(role="user", content=self.prompt, images=self.images)
        return ChatRequest(
            messages=_messages((*system, said)),
            model=self.named,
            sampling=self.sampling(),
            response_format=self.response_format(),
        )


class EmbedBody(_Body):
    """POST /api/embed."""

    model: Name = ""
    input: Content | list[Content] = Field(default=[])
    dimensions: Annotated[int, Field(ge=1)] | None = None

    def texts(self) -> list[str]:
        """What to embed, in order."""
        texts = [self.input] if isinstance(self.input, str) else self.input
        if not all(texts):
            raise BadRequest("`input` must be texts that are not empty.", "Send a text or a list.", field="input")
        if len(texts) > 2048:
            raise BadRequest("At most 2048 texts at once.", "Send them in several requests.", field="input")
        return texts


class ShowBody(_Body):
    """POST /api/show; older clients say `name`."""

    model: Name = ""
    name: Name = ""

    @property
    def named(self) -> str:
        """The model that is meant."""
        return bare(self.model or self.name)


def bare(name: str) -> str:
    """A model's name without the tag that means nothing."""
    return name.removesuffix(_LATEST)


def _messages(said: Sequence[Said]) -> list[ChatMessage]:
    """For a model. Ollama's tool results name the tool, not the call: they answer the calls made last, in order."""
    messages: list[ChatMessage] = []
    open_calls: list[ToolCall] = []
    for number, one in enumerate(said):
        if one.images:
            raise BadRequest(f"Message {number} holds pictures.", "Send text only.", field=f"messages.{number}.images")
        calls = [_call(call, number, place) for place, call in enumerate(one.tool_calls or ())]
        open_calls = calls or open_calls
        answers = one.tool_call_id or (_answered(open_calls, one.tool_name) if one.role == "tool" else "")
        messages.append(ChatMessage(role=one.role, content=one.content, tool_calls=tuple(calls), tool_call_id=answers))
    return messages


def _call(call: Called, number: int, place: int) -> ToolCall:
    arguments = call.function.arguments
    text = arguments if isinstance(arguments, str) else json.dumps({} if arguments is None else arguments)
    return ToolCall(call.id or f"call_{number}_{place}", call.function.name, text)


def _answered(calls: list[ToolCall], name: str | None) -> str:
    """The first call that is still open, of this name when one is told; it is open no longer."""
    for call in calls:
        if name is None or call.name == name:
            calls.remove(call)
            return call.id
    return ""
