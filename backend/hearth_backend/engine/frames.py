"""What the backend and an engine child say to each other: JSON objects, each after its length in four bytes.

Started, Piece and Ended are also what the rooms above see of an answer.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from hearth_backend.engine.lanes import Lane
from hearth_backend.engine.sampling import Sampling

LARGEST = 64 * 1024 * 1024
_LENGTH = struct.Struct("!I")


class FrameError(Exception):
    """The other side does not speak the protocol."""


# -- what an answer is made of


@dataclass(frozen=True, slots=True)
class Started:
    """First event of an answer: the prompt is being read; `cached_tokens` of it were still known. `thinking`: the
    prompt ends in an opened thought, so the answer begins within it."""

    model: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    gpu_layers: int = 0
    test_model: bool = False
    thinking: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """More text. Where it was asked for, `logprobs` has for each token since the last piece its text (bytes that are
    none as surrogates), the logarithm of its probability, and the likeliest tokens in its place with theirs."""

    text: str
    logprobs: Sequence[tuple[str, float, Sequence[tuple[str, float]]]] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """Last event of a whole answer, with what it took; `left_out` messages gave way to the prompt's budget."""

    reason: Literal["stop", "length"]
    prompt_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    prompt_s: float = 0.0
    output_s: float = 0.0
    left_out: int = 0


Event = Started | Piece | Ended

# -- to the child


@dataclass(frozen=True, slots=True)
class Load:
    """The child's first message: the file to load, and how; `states` is the folder of kept beginnings, if any.

    `devices` are the names of the GPUs that take the layers, and `split` how many each takes where there are several;
    without any llama.cpp shares the layers among all. `embeds`: it makes vectors.
    """

    path: str
    name: str
    context: int
    gpu_layers: int
    threads: int
    batch_threads: int
    states: str = ""
    kv_type: str = "f16"
    devices: Sequence[str] = ()
    embeds: bool = False
    split: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation to answer; messages and tools in OpenAI's shape.

    `budget`: tokens of the prompt, to which the oldest messages give way; 0: what the context holds beside an answer;
    None: a conversation that is longer than the context is refused.
    """

    messages: Sequence[Mapping[str, Any]]
    sampling: Sampling = field(default_factory=Sampling)
    tools: Sequence[Mapping[str, Any]] = ()
    response_format: Mapping[str, Any] | None = None
    budget: int | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """Text to go on from; with a suffix, text to put between. `files` are (name, text) of other open files. To the
    `budget` (as of Chat) gives way what is far from the cursor."""

    prefix: str
    suffix: str | None = None
    files: Sequence[Sequence[str]] = ()
    sampling: Sampling = field(default_factory=Sampling)
    budget: int | None = 0


@dataclass(frozen=True, slots=True)
class Tokenize:
    """Text to cut into tokens."""

    text: str


@dataclass(frozen=True, slots=True)
class Detokenize:
    """Tokens to join into text."""

    tokens: Sequence[int]


@dataclass(frozen=True, slots=True)
class Embed:
    """Texts to make vectors of."""

    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing of what was read is to be kept: what is written now goes when it ends."""


Task = Chat | Complete | Tokenize | Detokenize | Embed | Forget


@dataclass(frozen=True, slots=True)
class Ask:
    """A task for the child. Owners take turns in a lane; a newer task of the same document ends the older one."""

    id: int
    lane: Lane
    task: Task
    owner: str = ""
    document: str = ""
    deadline_s: float | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nobody waits for this task any more."""

    id: int


@dataclass(frozen=True, slots=True)
class Hold:
    """While it is on, only what is typed is computed: another engine has the processor for that."""

    on: bool


# -- from the child


@dataclass(frozen=True, slots=True)
class Hello:
    """The engine's code is loaded; whether a GPU can be used."""

    offload: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded; `note` is what a person should know about it, `width` the length of its vectors."""

    context: int
    gpu_layers: int
    seconds: float
    note: str = ""
    width: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """llama.cpp returned nothing for the engine itself, the model or the context; `cause` is its own last word."""

    what: Literal["engine", "model", "context"]
    cause: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """Answer to Tokenize."""

    tokens: Sequence[int]


@dataclass(frozen=True, slots=True)
class Text:
    """Answer to Detokenize."""

    text: str


@dataclass(frozen=True, slots=True)
class Vectors:
    """Answer to Embed: rows of `width` little-endian float32, as base64, and how many tokens were read."""

    data: str
    width: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Answer to Forget."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A HearthError, to be raised where the task came from."""

    code: str
    detail: str
    fix: str = ""
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Answer:
    """One event of the answer to task `id`."""

    id: int
    event: Event | Tokens | Text | Vectors | Forgotten | Failed


Message = Load | Ask | Cancel | Hold | Hello | Ready | Refused | Answer

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *(Started, Piece, Ended, Load, Chat, Complete, Tokenize, Detokenize, Ask, Cancel, Hold, Embed, Forget),
        *(Hello, Ready, Refused, Tokens, Text, Vectors, Forgotten, Failed, Answer, Sampling),
    )
}
_INNER: dict[type[Any], str] = {Ask: "task", Answer: "event", Chat: "sampling", Complete: "sampling"}


def encode(message: Message) -> bytes:
    """The message as one frame."""
    if isinstance(message, Answer) and isinstance(message.event, Piece) and not message.event.logprobs:
        # nearly every frame there is
        text = _JSON.encode(message.event.text)
        body = f'{{"t":"Answer","id":{message.id},"event":{{"t":"Piece","text":{text}}}}}'
    else:
        body = _JSON.encode(message)
    data = body.encode("utf-8", "surrogatepass")
    if len(data) > LARGEST:
        raise FrameError(f"a frame of {len(data)} bytes is over the limit of {LARGEST}")
    return _LENGTH.pack(len(data)) + data


class Decoder:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages completed by `data`."""
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > LARGEST:
                raise FrameError(f"a frame of {length} bytes is over the limit of {LARGEST}")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield _message(body)


def _as_object(value: Any) -> dict[str, Any]:
    return {"t": type(value).__name__, **{part.name: getattr(value, part.name) for part in fields(value)}}


def _as_value(found: dict[str, Any]) -> Any:
    kind = _KINDS[found.pop("t")]
    if inner := _INNER.get(kind):  # by name, not wherever a "t" is met: messages and schemas are other people's JSON
        found[inner] = _as_value(found[inner])
    if kind is Sampling:
        found["stop"] = tuple(found["stop"])
        found["logit_bias"] = tuple((token, bias) for token, bias in found["logit_bias"])
    if kind is Piece and "logprobs" in found:
        found["logprobs"] = tuple(found["logprobs"])
    return kind(**found)


_JSON = json.JSONEncoder(default=_as_object, ensure_ascii=False, separators=(",", ":"))


def _message(body: bytes) -> Message:
    try:
        message = _as_value(json.loads(body.decode("utf-8", "surrogatepass")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FrameError(f"a frame cannot be read: {error}") from error
    if not isinstance(message, Message):
        raise FrameError("a frame holds no message")
    return message
