"""T07: a scan of the ports learns that somebody is there, and nothing else."""

import pytest

from hearth_shared.protocol.principals import Scope
from support import raw_http
from support.backend import Backend, wrong_token
from support.routes import ROUTES

pytestmark = pytest.mark.security

UNKNOWN = (
    "/",
    "/v1",
    "/docs",
    "/openapi.json",
    "/api/version",
    "/favicon.ico",
    "/v1/status/",
    "/..",
    "/%2e%2e/v1/status",
)


def strangers_view(backend: Backend, method: str, path: str, *more: tuple[str, str]) -> raw_http.Answer:
    headers = [("Host", f"127.0.0.1:{backend.port}"), *more]
    return raw_http.exchange(backend.port, raw_http.request(method, path, headers))


def test_every_address_known_or_not_gives_a_stranger_the_same_bytes(backend: Backend) -> None:
    asked = [(route.method, route.address) for route in ROUTES if route.scopes]
    asked += [(method, path) for path in UNKNOWN for method in ("GET", "POST", "DELETE", "PATCH")]
    answers = [strangers_view(backend, method, path) for method, path in asked]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1


def test_a_wrong_token_looks_like_none(backend: Backend) -> None:
    without = strangers_view(backend, "GET", "/v1/status")
    wrong = strangers_view(backend, "GET", "/v1/status", ("Authorization", f"Bearer {wrong_token()}"))
    assert (wrong.status, wrong.body, wrong.headers) == (without.status, without.body, without.headers)


def test_a_refusal_has_one_length_whatever_the_reason(backend: Backend) -> None:
    foreign = strangers_view(backend, "GET", "/v1/status", ("Origin", "https://evil.example"))
    assert foreign.status == 403
    assert len(foreign.body) == len(strangers_view(backend, "GET", "/v1/status").body)


def test_nothing_that_a_stranger_sees_names_the_product(backend: Backend) -> None:
    seen = [
        strangers_view(backend, "GET", "/healthz"),
        strangers_view(backend, "GET", "/v1/status"),
        strangers_view(backend, "GET", "/v1/status", ("Origin", "null")),
        raw_http.exchange(backend.port, b"NONSENSE\r\n\r\n"),
        raw_http.exchange(backend.port, b"GET / HTTP/9.9\r\n\r\n"),
    ]
    for answer in seen:
        text = (answer.body + repr(sorted(answer.headers.items())).encode()).lower()
        assert not [word for word in (b"hearth", b"uvicorn", b"python", b"fastapi", b"0.1.0") if word in text]
        assert "server" not in answer.headers
        assert "date" not in answer.headers


def test_a_good_token_is_told_that_there_is_nothing(backend: Backend) -> None:
    answer = backend.program(Scope.STATUS).get("/v1/nothing-here")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["fix"]
