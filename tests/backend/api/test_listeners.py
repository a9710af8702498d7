import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearth_backend.api.listeners import Listeners, listen, raise_file_limit
from hearth_shared.errors import HomeError, NotLoopback, PortInUse
from hearth_shared.paths import Home

pytestmark = pytest.mark.integration


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else has."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def opened(home: Home, host: str = "127.0.0.1", port: int = 0, *, exactly: bool = False) -> Listeners:
    listeners = listen(home, host, port, exactly=exactly)
    listeners.close()
    return listeners


def test_the_socket_is_this_users_alone(home: Home) -> None:
    listeners = listen(home, "127.0.0.1", 0, exactly=False)
    assert stat.S_IMODE(home.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.socket.parent.stat().st_mode) == 0o700
    listeners.close()
    assert not home.socket.exists()


def test_a_socket_left_behind_is_replaced(home: Home) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(home.socket))
    listen(home, "127.0.0.1", 0, exactly=False).close()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_file_of_the_persons_is_never_removed(home: Home, kind: str) -> None:
    if kind == "file":
        home.socket.write_text("mine")
    else:
        home.socket.mkdir()
    with pytest.raises(HomeError):
        opened(home)
    assert home.socket.exists()


def test_a_taken_port_gives_way_to_the_next(home: Home, taken: int) -> None:
    listeners = listen(home, "127.0.0.1", taken, exactly=False)
    assert listeners.port != taken
    assert listeners.wanted == taken
    listeners.close()


def test_a_taken_port_that_was_asked_for_exactly_is_an_error(home: Home, taken: int) -> None:
    with pytest.raises(PortInUse) as refused:
        opened(home, port=taken, exactly=True)
    assert str(taken) in refused.value.detail
    assert "--port" in refused.value.fix
    assert not home.socket.exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "example.org", "127.0.0.2", "10.0.0.1", "localhost.example"])
def test_hearth_does_not_listen_beyond_loopback(home: Home, host: str) -> None:
    with pytest.raises(NotLoopback) as refused:
        opened(home, host)
    assert "server.host" in refused.value.fix


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_hearth_listens_on_loopback(home: Home, host: str) -> None:
    listeners = listen(home, host, 0, exactly=False)
    assert listeners.tcp.getsockname()[0] == "127.0.0.1"
    listeners.close()


def test_a_home_with_a_very_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    home = Home(tmp_path / ("long" * 40))
    home.make()
    assert len(os.fsencode(home.socket)) <= 100
    listen(home, "127.0.0.1", 0, exactly=False).close()
    home.socket.parent.rmdir()


def test_as_many_files_may_be_open_as_the_system_lets_us() -> None:
    assert raise_file_limit(64) >= 64
