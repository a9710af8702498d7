"""T05: no page may read our answers: there is no CORS."""

import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend
from support.routes import ROUTES

pytestmark = pytest.mark.security

ORIGINS = (
    "https://evil.example",
    "null",
    "http://127.0.0.1",
    "file://",
    "moz-extension://a",
    "chrome-extension://a",
    "",
)


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_preflight_is_refused_and_allows_nothing(backend: Backend, origin: str) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for credential in ("", backend.token(Scope.CHAT).text):
        answer = backend.over_tcp(credential).options("/v1/threads", headers=headers)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("origin", ORIGINS)
def test_an_origin_is_refused_whatever_it_is(backend: Backend, origin: str) -> None:
    client = backend.program(Scope.STATUS)
    assert client.get("/v1/status", headers={"Origin": origin}).status_code == 403


def test_no_answer_ever_carries_an_access_control_header(backend: Backend) -> None:
    client = backend.door()
    for route in ROUTES:
        if route.method == "GET" and "events" not in route.path:
            answer = client.get(route.address)
            assert not [name for name in answer.headers if name.startswith("access-control-")], str(route)
