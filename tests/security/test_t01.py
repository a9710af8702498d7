"""T01: DNS rebinding. A name that a foreign page resolves to this machine is not our name."""

import pytest

from hearth_shared.protocol.principals import Scope
from support import raw_http
from support.backend import Backend

pytestmark = pytest.mark.security


def foreign(port: int) -> list[str]:
    """Host headers that are not ours, by class."""
    return [
        f"evil.example:{port}",
        "evil.example",
        f"localhost.evil.example:{port}",
        f"127.0.0.1.nip.example:{port}",
        f"localhost.:{port}",
        f"127.0.0.1.:{port}",
        "127.0.0.1",
        "localhost",
        f"127.0.0.1:{port + 1}",
        f"127.0.0.1:0{port}",
        f"127.1:{port}",
        f"127.0.0.2:{port}",
        f"2130706433:{port}",
        f"0x7f000001:{port}",
        f"[::ffff:127.0.0.1]:{port}",
        f"::1:{port}",
        f"user@127.0.0.1:{port}",
        f"127.0.0.1:{port}, evil.example",
        f"127.0.0.1:{port}/",
        f"LOCALHOST:{port}.evil.example",
        "",
    ]


@pytest.fixture(scope="module")
def token(shared_backend: Backend) -> str:
    return shared_backend.token(Scope.STATUS).text


def asked(backend: Backend, token: str, *hosts: str) -> int:
    headers = [*(("Host", host) for host in hosts), ("Authorization", f"Bearer {token}")]
    return raw_http.exchange(backend.port, raw_http.request("GET", "/v1/status", headers)).status


def test_a_foreign_host_is_refused_even_with_a_good_token(backend: Backend, token: str) -> None:
    assert {host: asked(backend, token, host) for host in foreign(backend.port)} == dict.fromkeys(
        foreign(backend.port), 403
    )


def test_our_own_names_are_served(backend: Backend, token: str) -> None:
    for host in (f"127.0.0.1:{backend.port}", f"localhost:{backend.port}", f"[::1]:{backend.port}"):
        assert asked(backend, token, host) == 200


def test_two_host_headers_are_refused(backend: Backend, token: str) -> None:
    good = f"127.0.0.1:{backend.port}"
    assert asked(backend, token, good, "evil.example") == 403
    assert asked(backend, token, "evil.example", good) == 403
    assert asked(backend, token, good, good) == 403


def test_no_host_header_is_refused(backend: Backend, token: str) -> None:
    assert asked(backend, token) in (400, 403)
    old = raw_http.request("GET", "/v1/status", [("Authorization", f"Bearer {token}")], version="HTTP/1.0")
    assert raw_http.exchange(backend.port, old).status == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:80", "Localhost.", ""])
def test_the_socket_has_one_name(backend: Backend, host: str) -> None:
    headers = [("Host", host), ("Authorization", f"Bearer {backend.key('tray')}")]
    assert raw_http.exchange(backend.home.socket, raw_http.request("GET", "/v1/status", headers)).status == 403


def test_the_open_route_keeps_its_host_rule(backend: Backend) -> None:
    rebound = raw_http.request("GET", "/healthz", [("Host", f"evil.example:{backend.port}")])
    assert raw_http.exchange(backend.port, rebound).status == 403
