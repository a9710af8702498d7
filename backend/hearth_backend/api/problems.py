"""Errors on the wire: RFC 9457 problems for native routes, a shape of their own for each compatible door.

What is said before a credential was accepted is constant: the same bytes for every route, known or not, naming
neither product nor version, so that a scan learns nothing. It can be read as either shape.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from hearth_backend.api.exchange import JSON, Dialect, Reply
from hearth_shared.errors import HearthError

PROBLEM: Final = b"application/problem+json"
_LENGTH: Final = 640
TOO_LONG: Final = "context_length_exceeded"  # the one code by which OpenAI's clients decide to shorten and ask again
_MAYBE_UNREAD: Final = (413, 504)  # part of the body may still be on its way


def _constant(status: int, code: str, kind: str, detail: str, fix: str) -> bytes:
    said: dict[str, Any] = {
        "type": "about:blank",
        "title": code,
        "status": status,
        "code": code,
        "detail": detail,
        "fix": fix,
        "retryable": False,
        "error": {"message": f"{detail} {fix}", "type": kind, "param": None, "code": code},
    }
    text = json.dumps(said).encode()
    assert len(text) <= _LENGTH
    return text.ljust(_LENGTH)


UNAUTHORIZED: Final = _constant(
    401,
    "unauthorized",
    "authentication_error",
    "No valid token came with this request.",
    "Send `Authorization: Bearer <token>`; a token can be wrong, expired or revoked.",
)
REFUSED: Final = _constant(
    403,
    "forbidden",
    "permission_error",
    "This request does not come from a program on this machine.",
    "Name this server exactly in Host, send no foreign Origin, and no token in the address.",
)
UNAVAILABLE: Final = _constant(
    503, "unavailable", "server_error", "Credentials cannot be checked at the moment.", "Try again in a while."
)


def native(error: HearthError, request_id: str) -> Reply:
    """An error as a problem; `request_id` finds it in the log."""
    body = dump({**error.problem(), "request_id": request_id})
    return Reply(body, error.status, PROBLEM, _headers(error))


def openai(error: HearthError, request_id: str) -> Reply:
    """An error in OpenAI's shape, as its SDKs read it."""
    status = 400 if error.status == 422 else error.status
    said: dict[str, Any] = {
        "message": str(error),
        "type": _kind(status),
        "param": error.data.get("field") or None,
        "code": TOO_LONG if error.data.get("reason") == TOO_LONG else error.code,
    }
    return Reply(dump({"error": said, "request_id": request_id}), status, JSON, _headers(error))


def anthropic(error: HearthError, request_id: str) -> Reply:
    """An error in Anthropic's shape, as its SDKs read it."""
    status = 400 if error.status == 422 else error.status
    kinds = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large"}
    more = {429: "rate_limit_error", 503: "overloaded_error", 504: "timeout_error"}
    kind = {**kinds, **more}.get(status) or ("invalid_request_error" if status < 500 else "api_error")
    said = {"type": "error", "error": {"type": kind, "message": str(error)}, "request_id": request_id}
    return Reply(dump(said), status, JSON, _headers(error))


def ollama(error: HearthError, request_id: str) -> Reply:
    """An error in Ollama's shape: one text."""
    status = 400 if error.status == 422 else error.status
    return Reply(dump({"error": str(error), "request_id": request_id}), status, JSON, _headers(error))


def llama_server(error: HearthError, request_id: str) -> Reply:
    """An error in the shape of llama.cpp's server: OpenAI's, with the status as its code."""
    status = 400 if error.status == 422 else error.status
    said = {"code": status, "message": str(error), "type": _kind(status)}
    return Reply(dump({"error": said, "request_id": request_id}), status, JSON, _headers(error))


def _kind(status: int) -> str:
    known = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    return known.get(status) or ("invalid_request_error" if status < 500 else "server_error")


def _headers(error: HearthError) -> tuple[tuple[bytes, bytes], ...]:
    headers: list[tuple[bytes, bytes]] = []
    wait = error.data.get("retry_after")
    if isinstance(wait, int | float):
        headers.append((b"retry-after", str(max(1, math.ceil(wait))).encode()))
    if error.status in _MAYBE_UNREAD:
        headers.append((b"connection", b"close"))
    allow = error.data.get("allow")
    if isinstance(allow, str):
        headers.append((b"allow", allow.encode()))
    return tuple(headers)


def dump(value: Any) -> bytes:
    """Any JSON value, for the wire."""
    return json.dumps(value, default=str).encode()


IN: Final[Mapping[Dialect, Callable[[HearthError, str], Reply]]] = {
    "native": native,
    "openai": openai,
    "anthropic": anthropic,
    "ollama": ollama,
    "llama-server": llama_server,
}
