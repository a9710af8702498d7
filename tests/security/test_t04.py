"""T04: requests that a page may send without asking: forms, images, scripts."""

import json

import pytest

from hearth_shared.protocol.principals import Scope
from support import raw_http
from support.backend import Backend

pytestmark = pytest.mark.security

TASK = b'{"goal":"empty the house"}'
PATH = "/v1/agents/assistant/tasks"


@pytest.fixture(scope="module")
def token(shared_backend: Backend) -> str:
    return shared_backend.token(Scope.TASKS, Scope.STATUS).text


def asked(backend: Backend, token: str, method: str, path: str, body: bytes, *more: tuple[str, str]) -> int:
    headers = [("Host", f"127.0.0.1:{backend.port}"), ("Authorization", f"Bearer {token}"), *more]
    if body:
        headers.append(("Content-Length", str(len(body))))
    return raw_http.exchange(backend.port, raw_http.request(method, path, headers, body)).status


def tasks(backend: Backend, token: str) -> int:
    return len(backend.over_tcp(token).get("/v1/tasks").json()["tasks"])


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/plain;charset=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "text/json",
        "",
    ],
)
def test_a_body_that_a_form_can_send_does_nothing(backend: Backend, token: str, kind: str) -> None:
    assert asked(backend, token, "POST", PATH, TASK, ("Content-Type", kind)) == 415
    assert tasks(backend, token) == 0


def test_a_body_without_a_type_does_nothing(backend: Backend, token: str) -> None:
    assert asked(backend, token, "POST", PATH, TASK) == 415


def test_two_content_types_are_refused(backend: Backend, token: str) -> None:
    types = (("Content-Type", "application/json"), ("Content-Type", "text/plain"))
    assert asked(backend, token, "POST", PATH, TASK, *types) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "CROSS-SITE", "none, cross-site"])
@pytest.mark.parametrize("path", ["/v1/status", "/healthz"])
def test_an_image_of_a_foreign_page_gets_nothing(backend: Backend, token: str, site: str, path: str) -> None:
    assert asked(backend, token, "GET", path, b"", ("Sec-Fetch-Site", site)) == 403


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_a_person_who_types_the_address_is_no_attack(backend: Backend, token: str, site: str) -> None:
    assert asked(backend, token, "GET", "/v1/status", b"", ("Sec-Fetch-Site", site)) == 200


def test_a_foreign_origin_with_a_stolen_token_does_nothing(backend: Backend, token: str) -> None:
    foreign = (("Origin", "https://evil.example"), ("Content-Type", "application/json"))
    assert asked(backend, token, "POST", PATH, TASK, *foreign) == 403
    assert tasks(backend, token) == 0


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "TRACE"])
def test_a_method_that_reads_never_makes_anything(backend: Backend, token: str, method: str) -> None:
    assert asked(backend, token, method, PATH, b"") in (400, 405)
    assert tasks(backend, token) == 0


def test_a_json_body_over_get_changes_nothing(backend: Backend, token: str) -> None:
    body = json.dumps({"method": "POST"}).encode()
    assert asked(backend, token, "GET", PATH, body, ("Content-Type", "application/json")) == 405
