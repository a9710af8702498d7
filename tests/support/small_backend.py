"""A backend in miniature: a real HTTP server on a Unix socket and a port, with the files a real one leaves in `run/`.

Give it routes and it remembers what it was asked. As a script it is a process that doors can start and stop:
`python small_backend.py` obeys HEARTH_HOME, and SMALL_BACKEND in the environment ("fail", "crash", "silent").
"""

import json
import os
import secrets
import signal
import socketserver
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hearth_shared import __version__, discovery
from hearth_shared.errors import HearthError, NotFound, PortInUse, Unauthorized
from hearth_shared.paths import Home, find_home

DOORS = ("tray", "cli", "editor", "browser")


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Stream:
    """Pieces of an event stream; without `whole` the connection breaks off after the last one."""

    pieces: Iterable[bytes]
    whole: bool = True


Reply = dict[str, Any] | str | Stream
Route = Callable[[Asked], Reply]


def sse(seq: int, kind: str, data: dict[str, Any], run_id: str = "run_1") -> bytes:
    """One event as the wire has it."""
    event = {"seq": seq, "time": 1.0, "type": kind, "run_id": run_id, "thread_id": "thr_1", "door": "cli", "data": data}
    return f"id: {seq}\nevent: {kind}\ndata: {json.dumps(event)}\n\n".encode()


@dataclass
class SmallBackend:
    """Serves while it is entered. A route raises HearthError to answer with its problem."""

    home: Home
    routes: dict[tuple[str, str], Route] = field(default_factory=dict[tuple[str, str], Route])
    version: str = __version__
    asked: list[Asked] = field(default_factory=list[Asked])
    keys: dict[str, str] = field(default_factory=dict[str, str])
    port: int = 0

    def __enter__(self) -> "SmallBackend":
        self._claim = discovery.claim(self.home)
        for door in DOORS:
            self.keys[door] = secrets.token_urlsafe(16)
            self.home.key(door).write_text(self.keys[door])
        self.home.socket.unlink(missing_ok=True)
        handler = type("Handler", (_Handler,), {"backend": self})
        door = _PortServer(("127.0.0.1", 0), handler)
        self.port = door.socket.getsockname()[1]
        self._servers = [_UnixServer(str(self.home.socket), handler), door]
        self._threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in self._servers]
        for thread in self._threads:
            thread.start()
        endpoint = discovery.Endpoint(os.getpid(), self.version, str(self.home.socket), self.port, 1.0)
        discovery.write_endpoint(self.home, endpoint)
        return self

    def __exit__(self, *_: object) -> None:
        discovery.remove_endpoint(self.home)
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()
        self._claim.close()

    def answer(self, asked: Asked, credential: str) -> Reply:
        """What to reply. Raises HearthError."""
        self.asked.append(asked)
        if credential.removeprefix("Bearer ") not in self.keys.values():
            raise Unauthorized("This key does not open Hearth.")
        route = self.routes.get((asked.method, asked.path))
        if route is None:
            raise NotFound(f"There is no {asked.method} {asked.path}.")
        return route(asked)


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # a caller beyond it would be refused whenever this thread comes late


class _PortServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    backend: SmallBackend

    def handle_any(self) -> None:
        try:
            reply = self.backend.answer(self._asked(), self.headers.get("Authorization", ""))
        except HearthError as error:
            self._plain(error.status, json.dumps(error.problem()).encode())
            return
        match reply:
            case Stream():
                self._stream(reply)
            case str():
                self._plain(200, reply.encode())
            case dict():
                self._plain(200, json.dumps(reply).encode())

    do_GET = do_POST = do_PUT = do_DELETE = handle_any

    def address_string(self) -> str:
        return "somebody"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _asked(self) -> Asked:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Asked(self.command, url.path, parse_qs(url.query), headers, body)

    def _plain(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, stream: Stream) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        try:
            for piece in stream.pieces:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            if stream.whole:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass  # the reader has left


def waiting() -> Iterator[bytes]:
    """A stream that never says anything more."""
    yield b": here\n\n"
    threading.Event().wait()


def main() -> None:
    """Be a backend until SIGTERM."""
    home = find_home()
    match os.environ.get("SMALL_BACKEND"):
        case "fail":
            discovery.report_failure(home, PortInUse("Port 4747 is taken.", "Choose another: `--port`."))
            sys.exit(1)
        case "crash":
            sys.exit("the floor is gone")
        case _:
            pass
    # Kept back in every thread and waited for: a handler that sets an event may come while that event's lock is held.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        with SmallBackend(home, version=os.environ.get("SMALL_BACKEND_VERSION", __version__)):
            signal.sigwait({signal.SIGTERM})
    except HearthError as error:
        discovery.report_failure(home, error)
        sys.exit(1)


if __name__ == "__main__":
    main()
