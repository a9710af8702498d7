"""One model server's HTTP: where it is, the key it is shown, and what counts as an answer; foreign errors end here."""

import asyncio
import ipaddress
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr, TypeAdapter, ValidationError

from hearth_backend.gateway import stream
from hearth_backend.gateway.dialect import complaint_of
from hearth_backend.gateway.stream import Patience
from hearth_backend.privacy import masked
from hearth_backend.resilience import LONGEST_S
from hearth_shared.errors import (
    BadRequest,
    IncompleteAnswer,
    KeyringUnavailable,
    ModelUnavailable,
    SettingsError,
)
from hearth_shared.protocol.models import Where
from hearth_shared.settings import Provider as ProviderSettings

if TYPE_CHECKING:
    import httpx2


_REST_S, _LONGEST_REST_S = 30.0, 86_400.0
"""How long a server rests that does not say so, and the most that is believed."""


class Keys(Protocol):
    """Where keys are kept; may wait for the keyring, so it is asked in a thread."""

    def get(self, name: str) -> SecretStr | None: ...


class ModelServer:
    """One server. Its key goes into one header alone, and only over TLS or to this machine.

    Proxies of the environment are not used and redirects are not followed: what is sent goes where the settings
    say, or nowhere. `shows` makes the headers of a key.
    """

    def __init__(
        self,
        name: str,
        settings: ProviderSettings,
        keys: Keys,
        shows: Callable[[str], Mapping[str, str]],
        *,
        patience: Patience | None = None,
    ) -> None:
        self.name = name
        self.where: Where = settings.where
        self.url = checked_url(name, settings)
        usual = patience or (stream.AWAY if settings.where == "cloud" else stream.AT_HOME)
        self.patience = usual.set_to(settings.first_byte_s, settings.idle_gap_s)
        self._keys = keys
        self._shows = shows
        self._client: httpx2.AsyncClient | None = None

    async def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def json(self, method: str, path: str, body: Mapping[str, Any] | None, seconds: float) -> Mapping[str, Any]:
        """A whole reply. Raises ModelUnavailable or BadRequest with the server's reason."""
        async with self.opened(method, path, body, "application/json", seconds) as chunks:
            reply = await stream.whole(chunks, seconds)
        try:
            return TypeAdapter(dict[str, Any]).validate_json(reply)
        except ValidationError:
            raise ModelUnavailable(f"{self.name} answered with something unreadable.") from None

    @asynccontextmanager
    async def opened(
        self, method: str, path: str, body: Mapping[str, Any] | None, kind: str, seconds: float
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """The reply's bytes, once status and content type are right; foreign errors end here."""
        client, begun = await self._connected(), False
        from httpx2 import HTTPError, InvalidURL  # loaded by _connected, off the start path

        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(seconds):
                    request = client.stream(method, self.url + path, json=body, headers=await self._headers(kind))
                    response = await stack.enter_async_context(request)
                    await self._check(response, kind)
                begun = True
                yield response.aiter_raw()
        except TimeoutError:
            raise ModelUnavailable(f"{self.name} did not answer within {seconds:.3g} s.", timed_out=True) from None
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
        timeout = httpx.Timeout(None, connect=self.patience.connect_s, pool=self.patience.connect_s)
        return httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False)

    async def _headers(self, kind: str) -> dict[str, str]:
        headers = {"accept": kind, "accept-encoding": "identity", "user-agent": "hearth"}
        if key := await self.key():
            headers |= self._shows(key.get_secret_value())
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
        body = await stream.whole(response.aiter_raw(), self.patience.connect_s)
        said = masked(complaint_of(body))
        detail = f"{self.name} answered {status}{': ' if said else ''}{said}".rstrip(".") + "."
        if status in (401, 403):
            fix = f"Set its key with `hearth keys set {self.name}`."
            return ModelUnavailable(detail, fix, server_status=status)
        rest = resting_s(response.headers.get("retry-after", ""), time.time())
        if status == 429 or (status == 503 and rest is not None):
            rest = _REST_S if rest is None else rest
            asks = f"{detail} It is left alone for {min(rest, LONGEST_S):.0f} s."
            return ModelUnavailable(asks, server_status=status, retry_after=rest)
        if status in (400, 413, 422):
            return BadRequest(detail)
        return ModelUnavailable(detail, server_status=status)

    async def key(self) -> SecretStr | None:
        """The key, when there is one. Raises ModelUnavailable when a cloud's cannot be read."""
        try:
            return await asyncio.to_thread(self._keys.get, self.name)
        except KeyringUnavailable as error:
            if self.where != "cloud":  # most servers at home want none
                return None
            raise ModelUnavailable(f"The key of {self.name} cannot be read. {error.detail}", error.fix) from error

    def _start_it(self) -> str:
        return "Check the network." if self.where == "cloud" else f"Start {self.name}, or check its URL."


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


def resting_s(retry_after: str, now: float) -> float | None:
    """Seconds that a Retry-After asks for, as a number or as a date; None when it says neither."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return min(max(0.0, seconds), _LONGEST_REST_S) if math.isfinite(seconds) else None
