"""A real backend in a home of its own, for as long as a bench needs it."""

import contextlib
import http.client
import json
import os
import socket
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hearth_shared.discovery import Endpoint, ensure_backend, stop_backend
from hearth_shared.paths import Home


@dataclass(frozen=True, slots=True)
class Backend:
    """Where it is and how to speak to it as the command line does."""

    home: Home
    endpoint: Endpoint

    @property
    def key(self) -> str:
        return self.home.key("cli").read_text("ascii").strip()

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request on the Unix socket; the answer's JSON."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        with contextlib.closing(connection):
            connection.sock.connect(self.endpoint.socket)
            headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            said = response.read()
            if response.status >= 300:
                raise SystemExit(f"{method} {path} was answered {response.status}: {said.decode()}")
            return json.loads(said)


@contextlib.contextmanager
def new_home() -> Generator[Home]:
    """An empty home, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as folder:
        yield Home(Path(folder))


@contextlib.contextmanager
def running(home: Home, **options: str) -> Generator[Backend]:
    """A backend on any free port, with `options` such as HEARTH_RUNS__WORKERS in its environment."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("HEARTH_")}
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(kept | {"HEARTH_SERVER__PORT": "0"} | options)
    try:
        endpoint = ensure_backend(home)
    finally:
        os.environ.clear()
        os.environ.update(before)
    try:
        yield Backend(home, endpoint)
    finally:
        stop_backend(home)
