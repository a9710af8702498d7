"""Any server that speaks OpenAI's dialect: Ollama, LM Studio, llama-server, vLLM, a cloud."""

import asyncio
import ipaddress
import logging
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

from pydantic import SecretStr, TypeAdapter, ValidationError

from hearth_backend.gateway import stream
from hearth_backend.gateway.dialect import AnswerReader, chat_body, complaint_of, completion_body
from hearth_backend.gateway.messages import Caller, ChatEvent, ChatRequest, Chosen, CompletionRequest, Embeddings
from hearth_backend.gateway.stream import Patience
from hearth_backend.privacy import masked
from hearth_shared.errors import (
    BadRequest,
    IncompleteAnswer,
    KeyringUnavailable,
    ModelFailed,
    ModelUnavailable,
    SettingsError,
)
from hearth_shared.protocol.models import ModelInfo, Role, Where
from hearth_shared.settings import Provider as ProviderSettings

if TYPE_CHECKING:
    import httpx2

log = logging.getLogger(__name__)
_LISTED_S, _NOBODY_S, _LISTING_S = 60.0, 5.0, 5.0
_EMBEDDED = TypeAdapter(list[list[float]])


class Keys(Protocol):
    """Where keys are kept; may wait for the keyring, so it is asked in a thread."""

    def get(self, name: str) -> SecretStr | None: ...


class OpenAICompatible:
    """One server. Its key goes into the Authorization header alone, and only over TLS or to this machine.

    Proxies of the environment are not used and redirects are not followed: what is sent goes where the settings
    say, or nowhere.
    """

    def __init__(self, name: str, settings: ProviderSettings, keys: Keys, *, patience: Patience | None = None) -> None:
        self.name = name
        self.where: Where = settings.where
        self._settings = settings
        self._url = checked_url(name, settings)
        self._is_openai = urlsplit(self._url).hostname == "api.openai.com"
        self._keys = keys
        self._patience = patience or (stream.AWAY if settings.where == "cloud" else stream.AT_HOME)
        self._client: httpx2.AsyncClient | None = None
        self._lock = asyncio.Lock()
        self._listed: Sequence[ModelInfo] = ()
        self._listed_until = 0.0

    def __repr__(self) -> str:
        return f"OpenAICompatible({self.name!r}, {self._url!r})"

    @property
    def prices(self) -> tuple[float | None, float | None]:
        """US dollars per million tokens read and written, where the settings tell."""
        return self._settings.input_price, self._settings.output_price

    async def models(self) -> Sequence[ModelInfo]:
        """What it lists, asked once a minute. A cloud with a named model is not asked at all; without a key it
        has none."""
        async with self._lock:
            if time.monotonic() >= self._listed_until:
                self._listed = await self._list()
                self._listed_until = time.monotonic() + (_LISTED_S if self._listed else _NOBODY_S)
            return self._listed

    async def try_key(self) -> int:
        """How many models it lists now, asked with its key. Raises ModelUnavailable or BadRequest with the reason."""
        if self.where == "cloud" and await self._key() is None:
            raise ModelUnavailable(f"There is no key for {self.name}.", f"Set it with `hearth keys set {self.name}`.")
        return len(await self._ids())

    async def chat(self, request: ChatRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        model = request.model or await self._default()
        asked = sum(len(message.content) for message in request.messages)
        body = chat_body(request, model, local=self.where != "cloud", openai_itself=self._is_openai)
        async with aclosing(self._answer("/chat/completions", body, model, asked)) as events:
            async for event in events:
                yield event

    async def complete(self, request: CompletionRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        model = request.model or await self._default()
        asked = len(request.prefix) + len(request.suffix or "")
        body = completion_body(request, model, local=self.where != "cloud")
        async with aclosing(self._answer("/completions", body, model, asked)) as events:
            async for event in events:
                yield event

    async def embed(self, texts: Sequence[str], model: str | None, caller: Caller) -> Embeddings:
        name = model or await self._default()
        body = {"model": name, "input": list(texts), "encoding_format": "float"}
        reply = await self._json("POST", "/embeddings", body, self._patience.first_s)
        usage: Any = reply.get("usage")
        tokens: Any = cast("dict[str, Any]", usage).get("prompt_tokens") if isinstance(usage, dict) else 0
        vectors = self._vectors(reply, len(texts))
        return Embeddings(name, vectors, tokens if isinstance(tokens, int) else 0)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    # -- what it can do

    async def _default(self) -> str:
        if self._settings.model:
            return self._settings.model
        listed = await self.models()
        if not listed:
            raise ModelUnavailable(f"{self.name} lists no models.", f"Start it, or set `providers.{self.name}.model`.")
        return listed[0].id

    async def _list(self) -> Sequence[ModelInfo]:
        try:
            if self.where == "cloud" and await self._key() is None:
                return ()
            if self.where == "cloud" and self._settings.model:
                return (self._info(self._settings.model),)
            ids = await self._ids()
        except (ModelUnavailable, BadRequest) as error:
            log.info("%s lists no models: %s", self.name, error.detail)
            return ()
        ids.sort(key=lambda model: model != self._settings.model)  # the named one first
        return tuple(self._info(model) for model in ids[:500])

    async def _ids(self) -> list[str]:
        reply = await self._json("GET", "/models", None, _LISTING_S)
        entries = cast("list[Any]", reply["data"]) if isinstance(reply.get("data"), list) else []
        return [
            str(cast("dict[str, Any]", entry)["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry
        ]

    def _info(self, model: str) -> ModelInfo:
        roles: list[Role] = ["chat", "complete"] if self._settings.complete else ["chat"]
        if "embed" in model.lower():  # nobody's listing says it better
            roles = ["embed"]
        return ModelInfo(id=model, provider=self.name, where=self.where, roles=roles)

    # -- one call

    async def _answer(self, path: str, body: Mapping[str, Any], model: str, asked: int) -> AsyncGenerator[ChatEvent]:
        begun = False
        try:
            async with aclosing(self._events(path, body, asked)) as events:
                async for event in events:
                    if not begun:
                        begun = True
                        yield Chosen(model, self.name, self.where)
                    yield event
        except ModelFailed as error:
            if begun:
                raise
            raise ModelUnavailable(f"{self.name}: {error.detail}", error.fix) from error

    async def _events(self, path: str, body: Mapping[str, Any], asked: int) -> AsyncGenerator[ChatEvent]:
        reader = AnswerReader(asked)
        began = time.monotonic()
        async with self._opened("POST", path, body, "text/event-stream", self._patience.first_s) as chunks:
            first_s = max(0.0, began + self._patience.first_s - time.monotonic())
            async for data in stream.events(chunks, first_s, self._patience.gap_s):
                if data == "[DONE]":
                    yield reader.finished()
                    return
                for event in reader.read(data):
                    yield event
        raise IncompleteAnswer(f"{self.name} closed the connection before the answer was finished.")

    async def _json(self, method: str, path: str, body: Mapping[str, Any] | None, seconds: float) -> Mapping[str, Any]:
        async with self._opened(method, path, body, "application/json", seconds) as chunks:
            reply = await stream.whole(chunks, seconds)
        try:
            return TypeAdapter(dict[str, Any]).validate_json(reply)
        except ValidationError:
            raise ModelUnavailable(f"{self.name} answered with something unreadable.") from None

    @asynccontextmanager
    async def _opened(
        self, method: str, path: str, body: Mapping[str, Any] | None, kind: str, seconds: float
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """The reply's bytes, once status and content type are right; foreign errors end here."""
        client, begun = await self._connected(), False
        from httpx2 import HTTPError, InvalidURL  # loaded by _connected, off the start path

        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(seconds):
                    request = client.stream(method, self._url + path, json=body, headers=await self._headers(kind))
                    response = await stack.enter_async_context(request)
                    await self._check(response, kind)
                begun = True
                yield response.aiter_raw()
        except TimeoutError:
            raise ModelUnavailable(f"{self.name} did not answer within {seconds:g} s.") from None
        except (HTTPError, InvalidURL) as error:
            failure = type(error).__name__
            if begun:
                raise IncompleteAnswer(f"The connection to {self.name} broke off ({failure}).") from error
            raise ModelUnavailable(f"{self.name} cannot be reached ({failure}).", self._start_it()) from error

    async def _connected(self) -> "httpx2.AsyncClient":
        if self._client is None:
            self._client = await asyncio.to_thread(self._connect)
        return self._client

    def _connect(self) -> "httpx2.AsyncClient":
        httpx: Any = import_module("httpx2")  # 130 ms that a start need not pay, in a thread
        timeout = httpx.Timeout(None, connect=self._patience.connect_s, pool=self._patience.connect_s)
        return httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False)

    async def _headers(self, kind: str) -> dict[str, str]:
        headers = {"accept": kind, "accept-encoding": "identity", "user-agent": "hearth"}
        if key := await self._key():
            headers["authorization"] = f"Bearer {key.get_secret_value()}"
        return headers

    async def _check(self, response: "httpx2.Response", kind: str) -> None:
        status = response.status_code
        if status != 200:
            raise await self._refusal(response)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ModelUnavailable(f"{self.name} compressed its answer though it was asked not to.")
        got = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if got != kind:
            raise ModelUnavailable(
                f"{self.name} answered with {got or 'no content type'} instead of {kind}.",
                f"Check `providers.{self.name}.url`.",
            )

    async def _refusal(self, response: "httpx2.Response") -> ModelUnavailable | BadRequest:
        status = response.status_code
        body = await stream.whole(response.aiter_raw(), self._patience.connect_s)
        said = masked(complaint_of(body))
        detail = f"{self.name} answered {status}{': ' if said else ''}{said}".rstrip(".") + "."
        if status in (401, 403):
            fix = f"Set its key with `hearth keys set {self.name}`."
            return ModelUnavailable(detail, fix, server_status=status)
        if status == 429:
            return ModelUnavailable(detail, retry_after=_seconds(response.headers.get("retry-after", "")))
        if status in (400, 413, 422):
            return BadRequest(detail)
        return ModelUnavailable(detail, server_status=status)

    async def _key(self) -> SecretStr | None:
        try:
            return await asyncio.to_thread(self._keys.get, self.name)
        except KeyringUnavailable as error:
            if self.where != "cloud":  # most servers at home want none
                return None
            raise ModelUnavailable(f"The key of {self.name} cannot be read. {error.detail}", error.fix) from error

    def _start_it(self) -> str:
        return "Check the network." if self.where == "cloud" else f"Start {self.name}, or check its URL."

    def _vectors(self, reply: Mapping[str, Any], count: int) -> list[list[float]]:
        data: Any = reply.get("data")
        entries = cast("list[Any]", data) if isinstance(data, list) else []
        try:
            vectors = _EMBEDDED.validate_python([entry["embedding"] for entry in entries])
        except (ValidationError, TypeError, KeyError):
            vectors = []
        if len(vectors) != count:
            raise ModelUnavailable(f"{self.name} did not send one vector for each text.")
        return [_normalised(vector) for vector in vectors]


def checked_url(name: str, settings: ProviderSettings) -> str:
    """The base URL without its last slash. Raises SettingsError where following it would break a promise."""
    option = f"providers.{name}.url"
    parts = urlsplit(settings.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"`{option}` is not a web address.", "It looks like http://127.0.0.1:11434/v1.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(f"`{option}` holds more than an address.", f"Keys belong in `hearth keys set {name}`.")
    if settings.where == "this machine" and not is_loopback(parts.hostname):
        raise SettingsError(
            f"`{option}` is not on this machine, but `providers.{name}.where` says so.",
            'Set it to "another machine" or "cloud": what is local only must not go there.',
        )
    if settings.where == "cloud" and parts.scheme == "http" and not is_loopback(parts.hostname):
        raise SettingsError(f"`{option}` would send your words and key in the clear.", "Use https.")
    return settings.url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name can only mean this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _normalised(vector: list[float]) -> list[float]:
    length = math.hypot(*vector)
    return [value / length for value in vector] if length else vector


def _seconds(retry_after: str) -> float:
    """The header's seconds; a date, or nothing, counts as half a minute."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        return 30.0
