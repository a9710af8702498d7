import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_bridge.routes import is_open, is_stream
from hearth_shared.protocol.principals import BROWSER_SCOPES
from support.routes import ROUTES

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/status"),
        ("GET", "/v1/threads"),
        ("GET", "/v1/threads?limit=5&after=1795000000.5%3Athread_1"),
        ("GET", "/v1/threads/thread_063a90476865aebd9e6b"),
        ("POST", "/v1/threads/thread_1/messages"),
        ("DELETE", "/v1/tasks/run_1"),
        ("POST", "/v1/memory/forget"),
        ("POST", "/v1/memory/restore"),
        ("PUT", "/v1/consents"),
    ],
)
def test_what_the_panel_needs_is_open(method: str, path: str) -> None:
    assert is_open(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/settings"),
        ("PUT", "/v1/settings"),
        ("POST", "/v1/approvals/a1"),
        ("POST", "/v1/pair"),
        ("POST", "/v1/clients/pairing"),
        ("GET", "/v1/clients"),
        ("DELETE", "/v1/clients/c1"),
        ("PUT", "/v1/keys/openai"),
        ("GET", "/v1/usage"),
        ("GET", "/v1/approvals/rules"),
        ("GET", "/v1/approvals/rules?x=1"),
        ("GET", "/metrics"),
        ("GET", "/v1/threads/.."),
        ("GET", "/v1/threads/../settings"),
        ("GET", "/v1/threads/%2e%2e"),
        ("GET", "/v1/threads/a/b"),
        ("GET", "/v1/status\r\nX: y"),
        ("GET", "/v1/status\n"),
        ("GET", "/v1/status HTTP/1.1"),
        ("GET", "/v1/status?a=b c"),
        ("GET", "/v1/status#x"),
        ("POST", "/v1/threads?x=1"),
        ("get", "/v1/status"),
        ("TRACE", "/v1/status"),
        ("", ""),
    ],
)
def test_everything_else_is_closed(method: str, path: str) -> None:
    assert not is_open(method, path)


@given(st.text(), st.text())
def test_no_open_path_can_break_a_line_or_climb(method: str, path: str) -> None:
    if is_open(method, f"/v1/threads/{path}") or is_stream(f"/v1/tasks/{path}/events"):
        assert re.fullmatch(r"[A-Za-z0-9_.:\-/?~=&%+]+", path)
        assert ".." not in path.split("/")


@pytest.mark.parametrize("path", ["/v1/events", "/v1/tasks/run_1/events"])
def test_two_streams_can_be_followed(path: str) -> None:
    assert is_stream(path)


@pytest.mark.parametrize("path", ["/v1/events?after_seq=1", "/v1/tasks/events", "/v1/tasks/../events", "/v1/threads"])
def test_no_other_can(path: str) -> None:
    assert not is_stream(path)


def test_no_route_beyond_a_browsers_scopes_is_open() -> None:
    beyond = [
        f"{endpoint.method} {endpoint.path}"
        for endpoint in ROUTES
        if is_open(endpoint.method, re.sub(r"\{\w+\}", "x1", endpoint.path))
        and BROWSER_SCOPES.isdisjoint(endpoint.scopes)
    ]
    assert not beyond
