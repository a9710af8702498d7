"""The gate: one pure ASGI middleware before every HTTP and WebSocket route, on both listeners.

In this order, because each step may only tell what the one before allows: exactly one Host of the list, no foreign
Origin, Sec-Fetch-Site, no token in the query, the credential; then, for whom we know: JSON only, the route and its
scope, the size of the body, the rate. Whatever is not allowed is refused; a route added tomorrow is closed.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

from hearth_backend import ids
from hearth_backend.api.asgi import Headers, Receive, Scope, Send
from hearth_backend.api.endpoint import OPEN, Endpoint
from hearth_backend.api.exchange import Call
from hearth_backend.api.limits import Limits
from hearth_backend.api.principals import Listener, Principal, Principals
from hearth_backend.api.problems import REFUSED, UNAUTHORIZED, UNAVAILABLE
from hearth_backend.api.table import RouteTable
from hearth_backend.storage.clients import PREFIX
from hearth_shared.errors import Forbidden, HearthError, MethodNotAllowed, NotFound, TooLarge, UnsupportedMedia
from hearth_shared.protocol.principals import Door

log = logging.getLogger(__name__)
_TOKEN_PROTOCOL: Final = "hearth.token."
_ONCE: Final = frozenset(
    {b"host", b"origin", b"authorization", b"sec-fetch-site", b"content-type", b"content-length"}
    | {b"x-hearth-token", b"x-hearth-origin", b"x-api-key"}
)
_OWN_SITE: Final = frozenset({b"none", b"same-origin"})
# Compared without case, `-` and `_`; exact names, because `page_token` is no token.
_SECRET_NAMES: Final = frozenset(
    {
        *("token", "accesstoken", "authtoken", "apitoken", "idtoken", "bearertoken", "refreshtoken", "sessiontoken"),
        *("key", "apikey", "xapikey", "accesskey", "auth", "authorization", "bearer", "jwt", "pat"),
        *("secret", "clientsecret", "password", "passwd", "pwd", "credential", "credentials"),
    }
)
_SEPARATORS: Final = re.compile(r"[-_.\s]")
_NOBODY: Final = Principal("nobody", Door.HTTP, "", frozenset(), frozenset())
_EMPTY: Final = frozenset({b"", b"0"})


@dataclass(frozen=True, slots=True)
class Hosts:
    """The exact Host headers that each listener answers to."""

    of: Mapping[Listener, frozenset[bytes]]

    @classmethod
    def on(cls, port: int) -> "Hosts":
        """For the Unix socket, and for TCP on `port`."""
        tcp = frozenset(f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost", "[::1]"))
        return cls({Listener.SOCKET: frozenset({b"localhost"}), Listener.TCP: tcp})


class Refused(Exception):
    """Said to somebody we do not know: the same for every route."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class Dispatch(Protocol):
    """What lies behind the gate."""

    async def http(self, endpoint: Endpoint, call: Call, receive: Receive, send: Send, began: float) -> None: ...

    async def socket(self, endpoint: Endpoint, call: Call, scope: Scope, receive: Receive, send: Send) -> None: ...

    async def refuse(self, error: HearthError, call: Call, send: Send, began: float, *, close: bool) -> None: ...

    def refused(self, method: str, status: int, began: float) -> None: ...


class Gate:
    """The ASGI application: checks, then hands the call to what lies behind."""

    def __init__(
        self,
        table: RouteTable,
        principals: Principals,
        limits: Limits,
        hosts: Hosts,
        max_body: int,
        dispatch: Dispatch,
    ) -> None:
        self._table = table
        self._principals = principals
        self._limits = limits
        self._hosts = hosts.of
        self._max_body = max_body
        self._dispatch = dispatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        headers = dict[bytes, bytes](scope["headers"])
        try:
            principal = self.known(scope, headers)
        except Refused as refused:
            self._dispatch.refused(scope["method"], refused.status, began)
            return await _constant(refused, headers, send)
        call = Call(principal, ids.passing("req"), headers, scope["query_string"], {})
        try:
            endpoint = self.allowed(scope, call)
        except HearthError as error:
            return await self._dispatch.refuse(error, call, send, began, close=_unread(headers))
        await self._dispatch.http(endpoint, call, receive, send, began)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        headers = dict[bytes, bytes](scope["headers"])
        try:
            call = Call(self.known(scope, headers), ids.passing("req"), headers, scope["query_string"], {})
            endpoint = self.allowed(scope, call)
        except (Refused, HearthError) as error:
            self._dispatch.refused("WS", error.status, began)
            await receive()
            # Closing before accepting makes the server answer HTTP 403.
            return await send({"type": "websocket.close", "code": 4403})
        await self._dispatch.socket(endpoint, call, scope, receive, send)

    def known(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Principal:
        """Who asks. Raises Refused before anything about routes could be told."""
        listener: Listener = scope["state"]["listener"]
        if _foreign(scope["headers"], headers, self._hosts[listener]) or _tells_secret(scope["query_string"]):
            raise Refused(403, REFUSED)
        try:
            found = self._principals.authenticate(_token(scope, headers), listener)
            if found is not None and found.door is Door.BROWSER and b"x-hearth-token" in headers:
                found = self._principals.behind_bridge(headers[b"x-hearth-token"], headers.get(b"x-hearth-origin", b""))
        except HearthError as error:
            log.warning("a credential could not be checked: %s", error.detail)
            raise Refused(503, UNAVAILABLE) from error
        if found is not None:
            return found
        if self._is_open(scope):
            return _NOBODY
        raise Refused(401, UNAUTHORIZED)

    def allowed(self, scope: Scope, call: Call) -> Endpoint:
        """The route, when this principal may have it now."""
        is_socket = scope["type"] == "websocket"
        method = "WS" if is_socket else scope["method"]
        length = call.headers.get(b"content-length", b"")
        if not is_socket and (method in ("POST", "PUT", "PATCH") or _has_body(call.headers)):
            _check_json(call.headers, method)
        found = self._table.find(scope["path"])
        if found is None:
            raise NotFound("There is nothing at this address.", "docs/http-api.md lists the routes.")
        methods, call.params = found
        endpoint = methods.get(method)
        if endpoint is None:
            allow = ", ".join(sorted(name for name in methods if name != "WS"))
            raise MethodNotAllowed(f"{method} is not possible here.", f"Use {allow}.", allow=allow)
        call.dialect = endpoint.dialect
        _check_scope(endpoint, call.principal, self._principals)
        if length.isdigit() and (len(length) > 15 or int(length) > self._max_body):
            raise TooLarge(f"The body is larger than {self._max_body} bytes.", "Send less, or in parts.")
        if call.principal is not _NOBODY:
            self._limits.take(call.principal, completion=endpoint.completion)
        return endpoint

    def _is_open(self, scope: Scope) -> bool:
        if scope["type"] == "websocket" or (found := self._table.find(scope["path"])) is None:
            return False
        endpoint = found[0].get(scope["method"])
        return endpoint is not None and endpoint.scopes == OPEN and not endpoint.for_bridge


def _foreign(pairs: Headers, headers: Mapping[bytes, bytes], hosts: frozenset[bytes]) -> bool:
    """Whether a browser, or somebody through one, may stand behind this request."""
    if len(headers) != len(pairs) and _doubled(pairs):
        return True
    if headers.get(b"host") not in hosts:
        return True
    # No web page is a door of the core: an extension reaches Hearth over its bridge, with an Origin of its own.
    return b"origin" in headers or headers.get(b"sec-fetch-site", b"none") not in _OWN_SITE


def _doubled(pairs: Headers) -> bool:
    names = [name for name, _ in pairs if name in _ONCE]
    return len(names) != len(set(names))


def _tells_secret(query: bytes) -> bool:
    """Addresses are written to logs and histories: a token there is refused even when it is good."""
    if not query:
        return False
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if _SEPARATORS.sub("", name).lower() in _SECRET_NAMES or PREFIX in value or PREFIX in name:
            return True
    return False


def _token(scope: Scope, headers: Mapping[bytes, bytes]) -> bytes:
    authorization = headers.get(b"authorization")
    if authorization is not None:
        kind, _, token = authorization.partition(b" ")
        return token.strip() if kind.lower() == b"bearer" else b""
    if (key := headers.get(b"x-api-key")) is not None:  # how Anthropic's clients show it
        return key
    if scope["type"] == "websocket":
        # Browsers cannot set headers on a WebSocket. The subprotocol that carries the token is never answered.
        offered: list[str] = scope["subprotocols"]
        tokens = [name.removeprefix(_TOKEN_PROTOCOL) for name in offered if name.startswith(_TOKEN_PROTOCOL)]
        return tokens[0].encode() if len(tokens) == 1 else b""
    return b""


def _has_body(headers: Mapping[bytes, bytes]) -> bool:
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"") not in _EMPTY


def _unread(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a body may be on its way that nobody will read: the connection then ends with the answer."""
    length = headers.get(b"content-length", b"0")
    return b"transfer-encoding" in headers or not length.isdigit() or len(length) > 5


def _check_json(headers: Mapping[bytes, bytes], method: str) -> None:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise UnsupportedMedia(f"{method} takes JSON only.", "Send `Content-Type: application/json`.")


def _check_scope(endpoint: Endpoint, principal: Principal, principals: Principals) -> None:
    scopes = endpoint.scopes or OPEN
    if scopes and scopes.isdisjoint(principal.scopes) and scopes.isdisjoint(principals.granted(principal)):
        needed = " or ".join(sorted(scopes))
        raise Forbidden(f"This credential may not do that; it needs {needed}.", "Create a token with that scope.")
    if not scopes and endpoint.for_bridge and not principal.is_bridge:
        raise Forbidden("Only the bridge to the browsers may do that.", "Pair a browser: `hearth pair browser`.")


async def _constant(refused: Refused, headers: Mapping[bytes, bytes], send: Send) -> None:
    said: list[tuple[bytes, bytes]] = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(refused.body)).encode()),
        (b"www-authenticate", b"Bearer"),
    ]
    if _unread(headers):
        said.append((b"connection", b"close"))
    start: dict[str, Any] = {"type": "http.response.start", "status": refused.status, "headers": said}
    await send(start)
    await send({"type": "http.response.body", "body": refused.body})
