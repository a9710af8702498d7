"""T03: 0.0.0.0 reaches loopback from a page in some browsers, and a server that listens there is everybody's."""

import contextlib
from pathlib import Path

import pytest

from hearth_shared.protocol.principals import Scope
from support import raw_http
from support.backend import Backend

pytestmark = pytest.mark.security

LISTEN = "0A"


def listening(pid: int) -> set[str]:
    """The addresses, in the kernel's hexadecimal, that a process listens on."""
    inodes: set[str] = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed while we look
            if (name := str(link.readlink())).startswith("socket:["):
                inodes.add(name[8:-1])
    found: set[str] = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN and fields[9] in inodes:
                found.add(fields[1])
    return found


def test_nothing_listens_beyond_loopback(backend: Backend) -> None:
    assert listening(backend.process.pid) == {f"0100007F:{backend.port:04X}"}


@pytest.mark.parametrize("host", ["0.0.0.0", "0", "[::]", "0x0", "000.000.000.000"])
def test_a_host_that_means_any_address_is_refused(backend: Backend, host: str) -> None:
    token = backend.token(Scope.STATUS).text
    headers = [("Host", f"{host}:{backend.port}"), ("Authorization", f"Bearer {token}")]
    assert raw_http.exchange(backend.port, raw_http.request("GET", "/v1/status", headers)).status == 403
