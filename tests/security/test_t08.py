"""T08: a token in an address ends up in logs and histories, so it is refused there; and we write none down."""

import sqlite3
from pathlib import Path

import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend, running

pytestmark = pytest.mark.security


@pytest.fixture(scope="module")
def token(shared_backend: Backend) -> str:
    return shared_backend.token(Scope.STATUS, Scope.MEMORY_READ).text


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "access_token",
        "api_key",
        "apikey",
        "API-Key",
        "Access_Token",
        "%74oken",
        "key",
        "auth",
        "bearer",
        "jwt",
    ],
)
@pytest.mark.parametrize("good", [True, False])
def test_a_token_in_the_query_is_refused_even_when_it_is_good(
    backend: Backend, token: str, name: str, good: bool
) -> None:
    value = token if good else "x"
    assert backend.over_tcp(token).get(f"/v1/status?{name}={value}").status_code == 403
    assert backend.over_tcp("").get(f"/v1/status?{name}={value}").status_code == 403


def test_a_token_under_any_other_name_is_refused_too(backend: Backend, token: str) -> None:
    assert backend.over_tcp(token).get(f"/v1/status?q={token}").status_code == 403


def test_a_name_that_only_contains_token_is_none(backend: Backend, token: str) -> None:
    answer = backend.over_tcp(token).get("/v1/memory/search?query=where+is+my+token&page_token=1")
    assert answer.status_code == 422  # an unknown field, not a secret


def test_no_secret_is_written_anywhere(tmp_path: Path) -> None:
    with running(tmp_path / "home", '[observe]\nlog_level = "debug"\nsample = 1.0\n') as backend:
        token = backend.token(Scope.STATUS, Scope.CHAT)
        secrets = [token.text, token.text.split("_", 2)[2], *(backend.key(door) for door in ("tray", "cli"))]
        client = backend.over_tcp(token.text)
        client.get("/v1/status")
        client.get(f"/v1/status?token={token.text}")
        client.get("/v1/status", headers={"X-Api-Key": token.text})
        client.post("/v1/threads", json={"title": 5, "token": "x"})
        client.get(f"/v1/threads/{token.text[:20]}")
        arguments = Path(f"/proc/{backend.process.pid}/cmdline").read_bytes()
        environment = Path(f"/proc/{backend.process.pid}/environ").read_bytes()
        backend.stop()
        written = b"".join(path.read_bytes() for path in sorted(backend.home.root.rglob("*")) if path.is_file())
    assert written
    for secret in secrets:
        assert secret.encode() not in arguments + environment
        assert secret.encode() not in written


def test_of_a_token_only_its_hash_is_stored(backend: Backend, token: str) -> None:
    with sqlite3.connect(f"file:{backend.home.database}?mode=ro", uri=True) as database:
        rows = database.execute("select * from client").fetchall()
    assert rows
    assert token.split("_", 2)[2] not in repr(rows)
