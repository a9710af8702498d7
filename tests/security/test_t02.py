"""T02: a WebSocket is exempt from the browser's same-origin rule, so it is held to ours."""

import stat

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect, unix_connect
from websockets.typing import Origin, Subprotocol

from hearth_shared.protocol.principals import Scope
from support.backend import Backend, wrong_token

pytestmark = pytest.mark.security


def status_of_refusal(backend: Backend, **options: object) -> int:
    """The HTTP status that ends the handshake."""
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://127.0.0.1:{backend.port}/v1/events", **options):  # type: ignore[arg-type]
        pass
    return refused.value.response.status_code


@pytest.fixture(scope="module")
def token(shared_backend: Backend) -> str:
    return shared_backend.token(Scope.TASKS).text


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_no_token_ends_before_the_upgrade(backend: Backend) -> None:
    assert status_of_refusal(backend) == 403


def test_a_wrong_token_ends_before_the_upgrade(backend: Backend) -> None:
    assert status_of_refusal(backend, additional_headers=bearer(wrong_token())) == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost", "chrome-extension://abc"])
def test_a_foreign_origin_ends_before_the_upgrade(backend: Backend, token: str, origin: str) -> None:
    assert status_of_refusal(backend, origin=Origin(origin), additional_headers=bearer(token)) == 403


def test_a_foreign_host_ends_before_the_upgrade(backend: Backend, token: str) -> None:
    headers = {**bearer(token), "Host": f"evil.example:{backend.port}"}
    assert status_of_refusal(backend, additional_headers=headers) == 403


def test_a_token_in_the_address_ends_before_the_upgrade(backend: Backend, token: str) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://127.0.0.1:{backend.port}/v1/events?token={token}", additional_headers=bearer(token)),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_a_token_without_the_scope_ends_before_the_upgrade(backend: Backend) -> None:
    assert status_of_refusal(backend, additional_headers=bearer(backend.token(Scope.STATUS).text)) == 403


def test_an_address_without_a_socket_ends_before_the_upgrade(backend: Backend, token: str) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://127.0.0.1:{backend.port}/v1/tasks", additional_headers=bearer(token)),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_a_good_token_opens_it(backend: Backend, token: str) -> None:
    with connect(f"ws://127.0.0.1:{backend.port}/v1/events", additional_headers=bearer(token)) as socket:
        assert socket.response is not None
        assert "server" not in {name.lower() for name in socket.response.headers}


def test_a_token_as_subprotocol_opens_it_and_is_never_answered(backend: Backend, token: str) -> None:
    offered = [Subprotocol("hearth.v1"), Subprotocol(f"hearth.token.{token}")]
    with connect(f"ws://127.0.0.1:{backend.port}/v1/events", subprotocols=offered) as socket:
        assert socket.subprotocol == "hearth.v1"


def test_two_tokens_as_subprotocols_open_nothing(backend: Backend, token: str) -> None:
    offered = [Subprotocol(f"hearth.token.{token}"), Subprotocol(f"hearth.token.{wrong_token()}")]
    assert status_of_refusal(backend, subprotocols=offered) == 403


def test_the_socket_door_takes_its_key_over_a_websocket_too(backend: Backend) -> None:
    headers = bearer(backend.key("tray"))
    with unix_connect(str(backend.home.socket), "ws://localhost/v1/events", additional_headers=headers):
        pass


def test_what_tells_where_we_are_is_private(backend: Backend) -> None:
    home = backend.home
    assert stat.S_IMODE(home.run.stat().st_mode) == 0o700
    private = [home.endpoint, home.socket, home.lock, *(home.key(door) for door in ("tray", "cli", "editor"))]
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in private} == {
        path.name: "0o600" for path in private
    }
