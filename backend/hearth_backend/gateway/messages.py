"""What goes to a model and what comes back, in one shape for every provider."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from hearth_shared.protocol.models import ModelInfo, Role, Where

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model made, or is being reminded of. `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose call this is: for usage rows, lanes and policy. After `deadline` (of the monotonic clock) nobody waits for
    it any more."""

    request_id: str
    door: str
    lane: Literal["inline", "chat", "ambient", "indexing"] = "chat"
    client: str = ""
    run_id: str | None = None
    local_only: bool = False
    deadline: float | None = None
    thread_id: str | None = None
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """None leaves the choice to the model. `logprobs` asks for the likelihood of each token written, and of so many
    others in its place; a server that does not know them leaves them out."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logit_bias: tuple[tuple[int, float], ...] = ()
    repeat_penalty: float | None = None
    logprobs: int | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation to answer. `model` None or "auto": the gateway chooses. `tools` in OpenAI's function shape.

    `budget`: the tokens the prompt may have, the oldest messages giving way; 0: what the model can read; None: a
    conversation that is longer is refused. Only models that Hearth itself runs heed it.
    """

    messages: Sequence[ChatMessage]
    model: str | None = None
    sampling: Sampling = Sampling()
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    response_format: Mapping[str, Any] | None = None
    budget: int | None = None


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """Text to go on from; with a suffix, text to put between. `files` are (name, text) of other open files; a newer
    request for the same `document` takes the place of an older one. `budget` is that of a conversation, but for its
    default: what is far from the cursor gives way."""

    prefix: str
    suffix: str | None = None
    model: str | None = None
    sampling: Sampling = Sampling()
    files: Sequence[tuple[str, str]] = ()
    document: str = ""
    budget: int | None = 0


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A token that was written (bytes that are no whole text are kept as surrogates), the logarithm of its
    probability, and the likeliest tokens in its place with theirs."""

    token: str
    logprob: float
    others: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """First event of every answer: which model, and where it runs; `instead_of` names a model that should have
    answered, and `because` says why it did not. With `seam` it comes in the middle: `instead_of` broke off there, what
    was said counts, and this model goes on from it."""

    model: str
    provider: str
    where: Where
    test_model: bool = False
    instead_of: str = ""
    because: str = ""
    seam: bool = False


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text; where it was asked for, with the likelihoods of its tokens."""

    text: str
    likelihoods: tuple[Likelihood, ...] = ()


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of the model's thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """More of a tool call; `id` and `name` come with the first piece of an index."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Restart:
    """Nothing sent so far counts: another route begins again (the next event is `Chosen`)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Last event of every complete answer. Without it the answer is not whole (an exception says why).

    The gateway fills in `cost`: US dollars, 0 on a machine of the person's own, None when the price is not known.
    `counted` is false when the model did not tell and the tokens are estimated from characters. `left_out` is how many
    messages gave way to the caller's budget.
    """

    reason: FinishReason
    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cost: float | None = None
    counted: bool = True
    left_out: int = 0


ChatEvent = Chosen | TextDelta | ReasoningDelta | ToolCallDelta | Restart | Finished


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One L2-normalised vector per text, in order."""

    model: str
    vectors: Sequence[Sequence[float]]
    tokens: int = 0
    info: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Provider(Protocol):
    """One place models live. Errors: ModelUnavailable before the first event, ModelFailed after; never a half
    answer as a whole one."""

    @property
    def name(self) -> str: ...

    @property
    def where(self) -> Where: ...

    async def models(self) -> Sequence[ModelInfo]:
        """What can be asked now; empty when nobody is there."""
        ...

    def chat(self, request: ChatRequest, caller: Caller) -> AsyncGenerator[ChatEvent]: ...

    def complete(self, request: CompletionRequest, caller: Caller) -> AsyncGenerator[ChatEvent]: ...

    async def embed(self, texts: Sequence[str], model: str | None, caller: Caller) -> Embeddings: ...

    async def close(self) -> None: ...


class Models(Protocol):
    """What the rooms above see of the gateway: every call routed, metered, and cut off from the cloud where it
    must be. Closing the iterator (or cancelling) stops the model within one step."""

    async def models(self) -> Sequence[ModelInfo]: ...

    async def has(self, role: Role, *, local_only: bool = False) -> bool:
        """Whether some model could take such a call now."""
        ...

    def chat(self, request: ChatRequest, caller: Caller) -> AsyncGenerator[ChatEvent]: ...

    def complete(self, request: CompletionRequest, caller: Caller) -> AsyncGenerator[ChatEvent]: ...

    async def embed(self, texts: Sequence[str], model: str | None, caller: Caller) -> Embeddings: ...
