"""The socket's mode, the port's address and the answers are looked at as they are."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from hearth_backend.observe.checks import listeners as checks

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


@contextlib.asynccontextmanager
async def door(answer: bytes) -> AsyncGenerator[tuple[int, list[bytes]]]:
    """A server on a free port that remembers the requests' heads and gives one answer."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], heads


async def test_a_port_that_answers_is_ok_and_was_asked_by_its_own_name() -> None:
    async with door(b"HTTP/1.1 200 OK\r\n\r\n") as (port, heads):
        check = await checks.port_answers(port)
    assert (check.name, check.state) == ("HTTP door answers", "ok")
    assert f"Host: 127.0.0.1:{port}\r\n".encode() in heads[0]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 500 Internal Server Error\r\n\r\n", b"SSH-2.0-x\r\n", b""])
async def test_a_port_that_answers_otherwise_is_a_fault(answer: bytes) -> None:
    async with door(answer) as (port, _):
        assert (await checks.port_answers(port)).state == "fault"


async def test_a_port_that_nobody_serves_is_a_fault() -> None:
    async with door(b"") as (port, _):
        pass
    check = await checks.port_answers(port)
    assert check.state == "fault"
    assert "No connection" in check.detail


async def test_a_socket_that_answers_is_ok(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    async with await asyncio.start_unix_server(serve, tmp_path / "s"):
        assert (await checks.socket_answers(tmp_path / "s")).state == "ok"
    assert (await checks.socket_answers(tmp_path / "absent")).state == "fault"


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


async def test_without_a_paired_browser_there_need_be_no_bridge(tmp_path: Path) -> None:
    assert (await checks.bridge(None, False, tmp_path / "log")).state == "ok"


async def test_a_browser_without_its_bridge_is_a_fault_that_names_the_log(tmp_path: Path) -> None:
    check = await checks.bridge(None, True, tmp_path / "bridge.log")
    assert check.state == "fault"
    assert "bridge.log" in check.fix


async def test_a_bridge_that_turns_strangers_away_is_ok(tmp_path: Path) -> None:
    async with door(b"HTTP/1.1 403 Forbidden\r\n\r\n") as (port, _):
        check = await checks.bridge(port, True, tmp_path)
    assert (check.name, check.state) == ("bridge", "ok")
    assert "on this machine only" in check.detail


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b""])
async def test_a_bridge_that_lets_strangers_in_is_a_fault(answer: bytes, tmp_path: Path) -> None:
    async with door(answer) as (port, _):
        assert (await checks.bridge(port, True, tmp_path)).state == "fault"


async def test_a_bridge_that_nobody_serves_is_a_fault(tmp_path: Path) -> None:
    async with door(b"") as (port, _):
        pass
    assert "No connection" in (await checks.bridge(port, True, tmp_path)).detail
