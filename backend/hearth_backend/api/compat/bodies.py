"""What OpenAI's clients send. Fields we do not know are ignored, as OpenAI's own servers of other versions do;
fields that we know and cannot honour are refused when they ask for something."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hearth_backend.api.compat.choices import MOST
from hearth_backend.gateway.messages import ChatMessage, Sampling, ToolCall
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.base import Json

Content = Annotated[str, StringConstraints(max_length=1_000_000)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Stops = str | list[str] | None


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Part(_Body):
    """A piece of a message's content."""

    type: str
    text: Content | None = None
    refusal: Content | None = None


class Function(_Body):
    """The function of a call."""

    name: str = Field(max_length=256)
    arguments: Content = ""


class Called(_Body):
    """A tool call that the model made before."""

    id: str = Field(default="", max_length=256)
    type: str = "function"
    function: Function


class Said(_Body):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Content | list[Part] | None = None
    name: str | None = Field(default=None, max_length=256)
    tool_calls: list[Called] | None = Field(default=None, max_length=128)
    tool_call_id: str | None = Field(default=None, max_length=256)

    def message(self, number: int) -> ChatMessage:
        """For a model; a developer speaks as the system, as in models before that role."""
        role = {"developer": "system", "function": "tool"}.get(self.role, self.role)
        calls = tuple(ToolCall(call.id, call.function.name, call.function.arguments) for call in self.tool_calls or ())
        return ChatMessage(
            role=role,  # pyright: ignore[reportArgumentType]  # a Said's role, with the two synonyms replaced
            content=_text(self.content, number),
            tool_calls=calls,
            tool_call_id=self.tool_call_id or "",
            name=self.name or "",
        )


class StreamOptions(_Body):
    """How to stream."""

    include_usage: bool | None = None


class _Sampled(_Body):
    model: str | None = Field(default=None, max_length=512)
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    top_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    min_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    frequency_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    n: Annotated[int, Field(ge=1, le=MOST)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logit_bias: Annotated[dict[str, Number], Field(max_length=1024)] | None = None
    repeat_penalty: Annotated[Number, Field(ge=0.1, le=10)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    truncate_prompt_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None

    @property
    def choices(self) -> int:
        """How many answers are wanted."""
        return self.n or 1

    @property
    def streams(self) -> bool:
        """Whether pieces are wanted."""
        return bool(self.stream)

    @property
    def tells_usage(self) -> bool:
        """Whether a stream ends with a chunk of usage."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def budget(self, otherwise: int | None) -> int | None:
        """Tokens that a prompt may have, 0 for what the model can read; None: one that is longer is refused."""
        if self.truncate_prompt_tokens is not None:
            return self.truncate_prompt_tokens
        return otherwise if self.truncation is None else {"auto": 0, "disabled": None}[self.truncation]

    def sampling(self, max_tokens: int | None, logprobs: int | None = None) -> Sampling:
        """For a model."""
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return Sampling(
            max_tokens=max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            frequency_penalty=self.frequency_penalty,
            presence_penalty=self.presence_penalty,
            seed=self.seed,
            stop=tuple(text for text in stop if text),
            logit_bias=tuple((_token(token), float(bias)) for token, bias in (self.logit_bias or {}).items()),
            repeat_penalty=self.repeat_penalty,
            logprobs=logprobs,
        )

    def refuse_what_cannot_be(self) -> None:
        """Raise BadRequest for what would silently be left out."""
        for token in self.logit_bias or ():
            _token(token)


def _token(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadRequest(
            "`logit_bias` names a token that is no number.", "`/v1/tokenize` tells them.", field="logit_bias"
        )
    return int(text)


MaxTokens = Annotated[int, Field(ge=1, le=1_000_000)]


class ChatBody(_Sampled):
    """POST /v1/chat/completions."""

    messages: list[Said] = Field(min_length=1, max_length=4096)
    max_tokens: MaxTokens | None = None
    max_completion_tokens: MaxTokens | None = None
    tools: list[Json] | None = Field(default=None, max_length=512)
    tool_choice: str | Json | None = None
    response_format: Json | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None

    def refuse_what_cannot_be(self) -> None:
        super().refuse_what_cannot_be()
        if self.top_logprobs and not self.logprobs:
            raise BadRequest(
                "`top_logprobs` is asked for without `logprobs`.", "Send `logprobs: true` too.", field="top_logprobs"
            )

    @property
    def likelihoods(self) -> int | None:
        """How many other tokens are wanted with each one's likelihood; None: no likelihoods."""
        return (self.top_logprobs or 0) if self.logprobs else None


class CompletionBody(_Sampled):
    """POST /v1/completions."""

    prompt: Content | list[Any]
    suffix: Content | None = None
    max_tokens: MaxTokens | None = None
    echo: bool | None = None
    best_of: int | None = None
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None

    def refuse_what_cannot_be(self) -> None:
        super().refuse_what_cannot_be()
        if self.echo or self.best_of not in (None, 1):
            raise BadRequest("`echo` and `best_of` are not supported.", "Leave them out.", field="best_of")

    def text(self) -> str:
        """The one prompt."""
        if isinstance(self.prompt, str):
            return self.prompt
        if len(self.prompt) == 1 and isinstance(self.prompt[0], str):
            return self.prompt[0]
        raise BadRequest("`prompt` must be one text.", "Send a string; several are several requests.", field="prompt")


class EmbeddingBody(_Body):
    """POST /v1/embeddings."""

    input: Content | list[Any]
    model: str | None = Field(default=None, max_length=512)
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1)] | None = None

    def texts(self) -> list[str]:
        """What to embed, in order."""
        given = [self.input] if isinstance(self.input, str) else self.input
        texts = [text for text in given if isinstance(text, str) and text]
        if len(texts) != len(given) or not texts:
            raise BadRequest(
                "`input` must be texts that are not empty; token ids mean nothing to another model.",
                "Send a string or a list of strings (langchain: `check_embedding_ctx_length=False`).",
                field="input",
            )
        if len(texts) > 2048:
            raise BadRequest("At most 2048 texts at once.", "Send them in several requests.", field="input")
        return texts


def _text(content: str | list[Part] | None, number: int) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    texts = [part.text if part.text is not None else part.refusal for part in content]
    if None in texts:
        raise BadRequest(
            f"Message {number} holds something other than text.", "Send text parts only.", field=f"messages.{number}"
        )
    return "\n".join(text for text in texts if text is not None)
