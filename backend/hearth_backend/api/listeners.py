"""The two sockets: a private Unix socket for the person's own doors, and a loopback port for third parties."""

import contextlib
import errno
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hearth_shared.errors import HomeError, NotLoopback, PortInUse
from hearth_shared.paths import Home

_LOOPBACK: Final = {"127.0.0.1": socket.AF_INET, "localhost": socket.AF_INET, "::1": socket.AF_INET6}
_TRIED: Final = 20
_BRIDGE: Final = 4748  # where browsers look for their bridge: never taken in place of another port
_BACKLOG: Final = 2048


@dataclass(frozen=True, slots=True)
class Listeners:
    """Bound, listening, and not served yet. `wanted` is the port asked for, which may have been taken."""

    unix: socket.socket
    tcp: socket.socket
    path: Path
    wanted: int

    @property
    def port(self) -> int:
        """The port that the HTTP door has."""
        return self.tcp.getsockname()[1]

    def close(self) -> None:
        """Close both and take the socket's file away."""
        self.unix.close()
        self.tcp.close()
        self.path.unlink(missing_ok=True)


def listen(home: Home, host: str, port: int, *, exactly: bool) -> Listeners:
    """Bind both. The caller holds the home's claim: whatever lies at the socket's path was left behind.

    A taken port gives way to the next free one, unless it was asked for `exactly`: then PortInUse.
    """
    tcp = _tcp(host, port, exactly=exactly)
    try:
        return Listeners(_unix(home.socket), tcp, home.socket, port)
    except BaseException:
        tcp.close()
        raise


def _unix(path: Path) -> socket.socket:
    if os.path.lexists(path):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise HomeError(f"{path} is in the way of Hearth's socket.", "Move it away.")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise HomeError(f"The socket {path} cannot be made: {error.strerror}.", "Check the folder's rights.") from error
    finally:
        os.umask(before)
    listener.listen(_BACKLOG)
    return listener


def _tcp(host: str, port: int, *, exactly: bool) -> socket.socket:
    family = _LOOPBACK.get(host)
    if family is None:
        raise NotLoopback(
            f"Hearth does not listen on {host}: it would be open to the network.",
            "Set `server.host` to 127.0.0.1, localhost or ::1.",
        )
    address = "127.0.0.1" if host == "localhost" else host
    following = (port + step for step in range(_TRIED) if port + step < 65536 and (step == 0 or port + step != _BRIDGE))
    candidates = (port,) if exactly or port == 0 else (*following, 0)
    for candidate in candidates:
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, candidate))
            listener.listen(_BACKLOG)
            return listener
        except OSError as error:
            listener.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise NotLoopback(
                    f"Hearth cannot listen on {host}: {error.strerror}.", "Check `server.host`."
                ) from error
    raise PortInUse(
        f"Port {port} is taken by another program, or not allowed.",
        "Choose another with `--port`, or 0 for any free one.",
        port=port,
    )


def raise_file_limit(wanted: int = 8192) -> int:
    """Allow as many open files as the system lets us, up to `wanted`; the number there now is."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # absent on Windows

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and soft < target:
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted
