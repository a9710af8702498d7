"""How a door speaks with the backend: JSON requests, and event streams that survive a broken connection.

One connection for each request: over a Unix socket that costs microseconds, and a connection that was closed behind
our back can never swallow a request.
"""

import http.client
import json
import os
import socket
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hearth_shared.discovery import START, Address, PortDoor, SocketDoor
from hearth_shared.errors import BackendUnavailable, DeadlineExceeded, from_body
from hearth_shared.paths import Home
from hearth_shared.repeating import may_be_repeated
from hearth_shared.sse import Following
from hearth_shared.wire import Event

_PLAIN_S = 60.0
_SILENT_S = 60.0


class BackendClient:
    """The backend as a first-party door sees it; `BackendClient.at_port` is the same for a third party.

    Every problem arrives as the HearthError it was made from.
    """

    def __init__(self, home: Home, door: str, *, start: bool = True, command: Sequence[str] = START) -> None:
        self._door: SocketDoor | PortDoor = SocketDoor(home, door, start=start, command=command)

    @classmethod
    def at_port(cls, port: int, token: str, *, host: str = "127.0.0.1") -> "BackendClient":
        """Through the HTTP door of this machine, with a token."""
        client = cls.__new__(cls)
        client._door = PortDoor(port, token, host=host)
        return client

    def request(self, method: str, path: str, body: Any = None, *, key: str = "", limit: float = _PLAIN_S) -> Any:
        """The JSON answer, of the type that `wire` names for it.

        `key` is the Idempotency-Key of a request that must not be done twice.
        """
        headers = {"Idempotency-Key": key} if key else {}
        if method == "POST" and body is None:  # the gate lets nothing in that a form of a page could send
            headers["Content-Type"] = "application/json"
        asked = (method, path, body, headers, limit)
        address = self._door.address()
        try:
            return _whole(address, *asked)
        except BackendUnavailable:
            if not may_be_repeated(method, path, key):
                raise
        return _whole(self._door.address(), *asked)  # it was ending as we came: now it is gone, or another one is there

    def text(self, path: str) -> str:
        """An answer that is not JSON, such as /metrics."""
        with _answer(self._door.address(), "GET", path, None, {}, _PLAIN_S) as answer, _translated():
            return answer.read().decode()

    def pieces(self, path: str) -> Generator[bytes]:
        """A long answer as it comes. One that breaks off ends early: its reader must know its end."""
        with _answer(self._door.address(), "GET", path, None, {}, _SILENT_S) as answer:
            while True:
                with _translated():
                    data = answer.read1(65536)
                if not data:
                    return
                yield data

    def events(
        self, path: str, body: Any = None, *, key: str = "", after_seq: int | None = None, ends: bool = True
    ) -> Generator[Event]:
        """The events of a stream in order, each once; with `body` the stream is opened by a POST.

        A broken connection is opened again where it broke. With `ends` it is over when its run is.
        """
        following = Following(path, body, key=key or os.urandom(16).hex(), after_seq=after_seq, ends=ends)
        while not following.done:
            address = self._door.address()  # a backend that cannot start is an error, not a broken connection
            try:
                yield from _events(address, following)
            except (BackendUnavailable, DeadlineExceeded):
                if (pause := following.pause()) is None:
                    raise
                time.sleep(pause)


def _events(address: Address, following: Following) -> Generator[Event]:
    with _answer(address, *following.ask(), _SILENT_S) as answer:
        while not following.done:
            with _translated():
                data = answer.read1(65536)
            if not data:
                raise BackendUnavailable("The backend closed the stream before its end.")
            yield from following.feed(data)


def _whole(address: Address, method: str, path: str, body: Any, headers: Mapping[str, str], limit: float) -> Any:
    with _answer(address, method, path, body, headers, limit) as answer, _translated():
        text = answer.read()
    return json.loads(text) if text else {}


@contextmanager
def _answer(
    address: Address, method: str, path: str, body: Any, headers: Mapping[str, str], timeout: float
) -> Generator[http.client.HTTPResponse]:
    """The answer while it is read. Raises the HearthError that a problem was made from."""
    connection = _Connection(address, timeout)
    try:
        with _translated():
            connection.request(method, path, _encoded(body), {**address.headers(body), **headers})
            answer = connection.getresponse()
        if answer.status >= 400:
            with _translated():
                raise from_body(answer.status, answer.read())
        yield answer
    finally:
        connection.close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, address: Address, timeout: float) -> None:
        super().__init__(address.host, address.port, timeout=timeout)
        self._path = address.socket

    def connect(self) -> None:
        if self._path is None:
            return super().connect()
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _encoded(body: Any) -> bytes | None:
    return None if body is None else json.dumps(body, ensure_ascii=False).encode()


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except TimeoutError as error:
        raise DeadlineExceeded("The backend did not answer in time.", "See how it is: `hearth doctor`.") from error
    except (OSError, http.client.HTTPException) as error:
        raise BackendUnavailable(
            f"The connection to the backend broke ({error or type(error).__name__}).", "See how it is: `hearth doctor`."
        ) from error
