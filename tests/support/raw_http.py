"""HTTP written by hand, byte for byte: what no well-behaved client would send."""

import contextlib
import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT_S = 60.0
Place = int | Path


@dataclass(frozen=True)
class Answer:
    """One answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


def connect(place: Place) -> socket.socket:
    """A connection to a port of this machine, or to a Unix socket."""
    if isinstance(place, int):
        return socket.create_connection(("127.0.0.1", place), LIMIT_S)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(LIMIT_S)
    connection.connect(str(place))
    return connection


def request(
    method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes = b"", *, version: str = "HTTP/1.1"
) -> bytes:
    """The bytes of a request. Nothing is added to the headers given."""
    lines = [f"{method} {path} {version}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def exchange(place: Place, data: bytes) -> Answer:
    """Send bytes on a connection of their own, read one answer."""
    with connect(place) as connection:
        connection.sendall(data)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> Answer:
    """The next answer on a connection; its body by content-length, or to the end when there is none."""
    data = _until(connection, b"\r\n\r\n")
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = headers.get("content-length")
    while length is None or len(rest) < int(length):
        piece = connection.recv(65536)
        if not piece:
            break
        rest += piece
    return Answer(int(first.split(" ")[1]), headers, rest)


def wait_closed(connection: socket.socket) -> bytes:
    """What still comes until the other side hangs up; TimeoutError when it does not."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            data += piece
    return data


def _until(connection: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError(f"the connection ended after {data!r}")
        data += piece
    return data
