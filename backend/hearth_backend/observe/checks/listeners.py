"""The doors: private socket, loopback port, and an answer through each."""

import asyncio
import ipaddress
import stat
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from hearth_shared.protocol.status import Check

_LISTEN = "0A"
_REACHED = "Paired browsers reach Hearth on port {port}, which is open on this machine only."
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def socket(path: Path) -> Check:
    """See that only this user can open the Unix socket."""
    try:
        found, around = await asyncio.to_thread(lambda: (path.stat().st_mode, path.parent.stat().st_mode))
    except OSError as error:
        return _fault("socket", f"The socket {path} is not there: {error.strerror}.")
    if not stat.S_ISSOCK(found):
        return _fault("socket", f"{path} is not a socket.", f"Delete {path} and restart Hearth.")
    if found & 0o077 or around & 0o077:
        detail = f"Others may open {path} (socket {found & 0o777:o}, folder {around & 0o777:o})."
        return _fault("socket", detail, f"Run `chmod 700 {path.parent}` and restart Hearth.")
    return Check(name="socket", state="ok", detail=f"{path} is open to this user alone.")


async def socket_answers(path: Path) -> Check:
    """Send a real request through the Unix socket."""
    return await _answers("socket", "localhost", lambda: asyncio.open_unix_connection(path))


async def port_answers(port: int, host: str = "127.0.0.1") -> Check:
    """Send a real request through the HTTP door."""
    name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return await _answers("HTTP door", name, lambda: asyncio.open_connection(host, port))


async def _answers(door: str, host: str, connect: Callable[[], Awaitable[Streams]]) -> Check:
    name = f"{door} answers"
    try:
        status = await _status(host, "/healthz", connect)
    except OSError as error:
        return _fault(name, f"No connection through the {door}: {error.strerror or error}.")
    if status != b"HTTP/1.1 200 OK":
        return _fault(name, f"The {door} answered {status.decode('ascii', 'replace') or 'with nothing'}.")
    return Check(name=name, state="ok", detail=f"A request through the {door} was answered.")


async def _status(host: str, path: str, connect: Callable[[], Awaitable[Streams]]) -> bytes:
    reader, writer = await connect()
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return (await reader.readline()).strip()
    finally:
        writer.close()


async def bridge(port: int | None, is_needed: bool, log: Path) -> Check:
    """Send a request to the bridge that paired browsers come through: it must answer, and on this machine only."""
    if port is None:
        if is_needed:
            return _fault("bridge", "A browser is paired, and the bridge to it does not run.", f"See {log}.")
        return Check(name="bridge", state="ok", detail="No browser is paired, so there is no bridge.")
    try:
        status = await _status(f"127.0.0.1:{port}", "/", lambda: asyncio.open_connection("127.0.0.1", port))
    except OSError as error:
        return _fault("bridge", f"No connection to the bridge on port {port}: {error.strerror or error}.")
    if not status.startswith(b"HTTP/1.1 4"):  # whoever brings no Origin is turned away
        return _fault("bridge", f"The bridge answered {status.decode('ascii', 'replace') or 'with nothing'}.")
    where = await loopback(port, name="bridge")
    return where if where.state == "fault" else where.model_copy(update={"detail": _REACHED.format(port=port)})


async def loopback(port: int, proc_net: Path = Path("/proc/net"), name: str = "loopback") -> Check:
    """Ask the kernel on which addresses a port is open."""
    tables = [table for table in (proc_net / "tcp", proc_net / "tcp6") if table.exists()]
    if not tables:
        detail = f"This system does not tell on which addresses port {port} is open; Hearth asked for loopback only."
        return Check(name=name, state="warn", detail=detail, fix="Look with the system's own tool (lsof, netstat).")
    texts = await asyncio.to_thread(lambda: [table.read_text() for table in tables])
    addresses = {address for text in texts for address in listening(text, port)}
    if not addresses:
        return _fault(name, f"Nobody listens on port {port}.")
    if beyond := sorted(str(address) for address in addresses if not _is_loopback(address)):
        detail = f"Port {port} is open on {', '.join(beyond)}, beyond this machine."
        return _fault(name, detail, "Find the program with `ss -ltnp` and stop it.")
    return Check(name=name, state="ok", detail=f"Port {port} is open on this machine only.")


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def listening(table: str, port: int) -> Iterator[Address]:
    """The addresses that listen on `port`, from the text of /proc/net/tcp or tcp6."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        address, _, at = fields[1].partition(":")
        if fields[3] == _LISTEN and int(at, 16) == port:
            yield ipaddress.ip_address(_bytes(address))


def _fault(name: str, detail: str, fix: str = "Restart Hearth: `hearth down`, `hearth up`.") -> Check:
    return Check(name=name, state="fault", detail=detail, fix=fix)


def _bytes(address: str) -> bytes:
    """The kernel prints each 32-bit word of an address as a little-endian number (on the machines we know)."""
    words = [address[start : start + 8] for start in range(0, len(address), 8)]
    return b"".join(bytes.fromhex(word)[::-1] for word in words)


def _is_loopback(address: Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
