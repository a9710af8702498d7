"""What a handler is given (`Call`) and what it may give back (`Reply`, `Stream`, or a wire model)."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, TypeAdapter, ValidationError

from hearth_backend.api.principals import Principal
from hearth_backend.gateway.messages import Caller
from hearth_backend.observe.spans import Span, Untraced
from hearth_backend.orchestrator.requester import Requester
from hearth_shared.errors import BadRequest, HearthError, InvalidBody

JSON = b"application/json"
EVENT_STREAM = b"text/event-stream"
LINES = b"application/x-ndjson"
Dialect = Literal["native", "openai", "anthropic", "ollama", "llama-server"]
_LONGEST_KEY = 255
Body = TypeVar("Body")


@dataclass(slots=True)
class Call:
    """One request that passed the gate."""

    principal: Principal
    request_id: str
    headers: Mapping[bytes, bytes]
    query_string: bytes
    params: Mapping[str, str]
    body: bytes = b""
    span: Span | Untraced | None = None
    dialect: Dialect = "native"

    def requester(self) -> Requester:
        """Who asks, as the orchestrator needs to know it."""
        who = self.principal
        trace = "" if self.span is None else self.span.trace_id
        return Requester(who.owner, who.door, who.name, who.recalled, self.request_id, trace)

    def caller(self, lane: Literal["inline", "chat", "ambient", "indexing"]) -> Caller:
        """Whose model call it is. The lane is the route's choice, never the client's."""
        return Caller(self.request_id, self.principal.door.value, lane, client=self.principal.client)

    def header(self, name: bytes) -> str:
        """A header's text; empty when it is absent."""
        return self.headers.get(name, b"").decode("latin-1")

    def wants_events(self) -> bool:
        """Whether the client asked for an event stream by Accept."""
        return EVENT_STREAM in self.headers.get(b"accept", b"").lower()

    def idempotency_key(self) -> str | None:
        """The Idempotency-Key, when one was sent."""
        key = self.header(b"idempotency-key")
        if len(key) > _LONGEST_KEY or not (key.isascii() and key.isprintable()):
            raise BadRequest(
                "The Idempotency-Key is not usable.", f"Send at most {_LONGEST_KEY} printable ASCII characters."
            )
        return key or None

    def parse(self, adapter: TypeAdapter[Body]) -> Body:
        """The body as a model. Raises InvalidBody that names the field and the fix."""
        try:
            return adapter.validate_json(self.body)
        except ValidationError as error:
            raise invalid(error, "body") from error

    def query(self, adapter: TypeAdapter[Body]) -> Body:
        """The query string as a model; a name given twice counts once, with its last value."""
        pairs = parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True) if self.query_string else ()
        try:
            return adapter.validate_python(dict(pairs))
        except ValidationError as error:
            raise invalid(error, "query") from error


def invalid(error: ValidationError, what: Literal["body", "query"]) -> InvalidBody:
    """What pydantic found first, as one sentence and a fix."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        return InvalidBody(f"The body is not valid JSON: {first['msg']}.", "Send one JSON object.", field="")
    if first["type"] == "extra_forbidden":
        return InvalidBody(f"There is no field `{name}` here.", "Leave it out, or correct its name.", field=name)
    if first["type"] == "missing":
        return InvalidBody(f"The {what} lacks `{name}`.", f"Send `{name}`.", field=name)
    where = f"`{name}`" if name else f"The {what}"
    return InvalidBody(f"{where} cannot be used: {first['msg']}.", f"Correct {where}.", field=name)


@dataclass(slots=True)
class Reply:
    """A whole answer."""

    body: bytes = b""
    status: int = 200
    media: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(slots=True)
class Stream:
    """An answer in pieces. `failed` encodes an error that comes after the first one, in the stream's own dialect.

    The head is sent with the first piece: a failure before it is an ordinary error answer.
    """

    chunks: AsyncGenerator[bytes, None]
    failed: Callable[[HearthError, str], bytes]
    media: bytes = EVENT_STREAM


class Listener(Protocol):
    """The other side of a WebSocket: it hears that it is open once it will miss nothing."""

    async def open(self) -> None: ...

    async def send(self, text: str) -> None: ...


Outcome = BaseModel | Reply | Stream
