"""The socket's mode, the port's address and the answers are looked at as they are."""

import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from hearth_backend.observe.checks import listeners as checks
from hearth_shared.errors import BackendUnavailable

pytestmark = pytest.mark.integration
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "api.sock"))
        (folder / "api.sock").chmod(0o600)
        yield folder / "api.sock"


async def test_a_private_socket_is_ok(path: Path) -> None:
    assert (await checks.socket(path)).state == "ok"


async def test_a_socket_that_others_may_open_is_a_fault(path: Path) -> None:
    path.chmod(0o666)
    check = await checks.socket(path)
    assert check.state == "fault"
    assert "666" in check.detail


async def test_a_socket_in_an_open_folder_is_a_fault(path: Path) -> None:
    path.parent.chmod(0o755)
    assert (await checks.socket(path)).state == "fault"


async def test_a_missing_socket_is_a_fault(tmp_path: Path) -> None:
    assert (await checks.socket(tmp_path / "api.sock")).state == "fault"


async def test_a_file_in_its_place_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "api.sock").write_text("")
    check = await checks.socket(tmp_path / "api.sock")
    assert "not a socket" in check.detail


async def test_a_door_that_answers_is_ok() -> None:
    async def ask() -> object:
        return {"ok": True}

    check = await checks.answers("Unix socket", ask)
    assert (check.name, check.state) == ("Unix socket answers", "ok")


async def test_a_door_that_does_not_answer_is_a_fault_with_its_reason() -> None:
    async def ask() -> object:
        raise BackendUnavailable("Nobody listens there.")

    check = await checks.answers("HTTP door", ask)
    assert check.state == "fault"
    assert "Nobody listens there." in check.detail


async def test_a_port_on_loopback_is_ok() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert (await checks.loopback(server.getsockname()[1])).state == "ok"


async def test_a_port_open_to_the_network_is_a_fault() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        check = await checks.loopback(server.getsockname()[1])
    assert check.state == "fault"
    assert "0.0.0.0" in check.detail


async def test_a_port_nobody_listens_on_is_a_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert (await checks.loopback(port)).state == "fault"


async def test_a_system_that_does_not_tell_is_a_warning(tmp_path: Path) -> None:
    assert (await checks.loopback(4747, tmp_path)).state == "warn"


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("   0: 0100007F:128B 00000000:0000 0A 0 0 0", "127.0.0.1"),
        ("   0: 00000000:128B 00000000:0000 0A 0 0 0", "0.0.0.0"),
        ("   0: 00000000000000000000000001000000:128B 0:0000 0A 0 0 0", "::1"),
        ("   0: 0000000000000000FFFF00000100007F:128B 0:0000 0A 0 0 0", "::ffff:127.0.0.1"),
    ],
)
def test_the_kernels_table_is_read(line: str, address: str) -> None:
    assert list(checks.listening(HEAD + line, 4747)) == [ip_address(address)]


def test_connections_and_other_ports_are_passed_over() -> None:
    table = HEAD + "   0: 0100007F:128B 0100007F:9999 01 0 0 0\n   1: 00000000:0050 00000000:0000 0A 0 0 0\n"
    assert list(checks.listening(table, 4747)) == []
