"""The whole backend as a child process on a home of its own, seen through its two listeners.

with running(folder) as backend:
    backend.door("tray").get("/v1/status")
    backend.program(Scope.CHAT).get("/v1/models")
"""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from hearth_shared import discovery
from hearth_shared.extension import CHROMIUM_ORIGIN
from hearth_shared.paths import Home
from hearth_shared.protocol.principals import Scope

LIMIT_S = 60.0


@dataclass(frozen=True)
class Token:
    """A third party's token."""

    id: str
    text: str


@dataclass(frozen=True)
class Browser:
    """A paired browser."""

    id: str
    token: str
    origin: str


@dataclass
class Backend:
    """A backend that runs."""

    home: Home
    port: int
    process: "subprocess.Popen[bytes]"
    _clients: dict[tuple[str, str], httpx2.Client] = field(default_factory=dict[tuple[str, str], httpx2.Client])

    @property
    def url(self) -> str:
        """The HTTP door."""
        return f"http://127.0.0.1:{self.port}"

    def key(self, door: str) -> str:
        """A first-party door's key."""
        return self.home.key(door).read_text("ascii")

    def door(self, name: str = "tray") -> httpx2.Client:
        """One of the person's own doors, over the Unix socket."""
        return self.over_socket(self.key(name))

    def pair(self, name: str = "Chromium on Linux", origin: str = CHROMIUM_ORIGIN) -> Browser:
        """A browser that comes in through its native host."""
        asked = {"native": True, "origin": origin, "name": name}
        made = self.door("browser").post("/v1/pair", json=asked)
        assert made.status_code == 201, made.text
        return Browser(made.json()["client"]["id"], made.json()["token"], origin)

    def browser(self, browser: Browser) -> httpx2.Client:
        """What the bridge forwards for a browser."""
        named = {"X-Hearth-Token": browser.token, "X-Hearth-Origin": browser.origin}
        return self._client(self.key("browser"), "http://localhost", str(self.home.socket), named)

    def over_socket(self, credential: str) -> httpx2.Client:
        """The Unix socket with any credential."""
        return self._client(credential, "http://localhost", str(self.home.socket))

    def over_tcp(self, credential: str) -> httpx2.Client:
        """The port with any credential."""
        return self._client(credential, self.url, None)

    def program(self, *scopes: Scope) -> httpx2.Client:
        """A new third-party program with these scopes, over TCP."""
        return self.over_tcp(self.token(*scopes).text)

    def token(self, *scopes: Scope, days: float = 1, spaces: Sequence[str] = ("main",)) -> Token:
        """A new token."""
        asked = {"name": "a program", "scopes": list(scopes), "spaces": list(spaces), "days": days}
        made = self.door().post("/v1/clients", json=asked)
        assert made.status_code == 201, made.text
        return Token(made.json()["client"]["id"], made.json()["token"])

    def revoke(self, token: Token) -> None:
        """End a token."""
        assert self.door().delete(f"/v1/clients/{token.id}").status_code == 200

    def log(self) -> str:
        """Everything that it wrote: its log files, and what would have gone to a terminal."""
        files = [path for path in self.home.logs.rglob("*") if path.is_file()]
        return "\n".join(path.read_text("utf-8", "replace") for path in files)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(LIMIT_S)

    def hang_up(self) -> None:
        """Close what was opened through this object."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _client(
        self, credential: str, base_url: str, uds: str | None, more: Mapping[str, str] | None = None
    ) -> httpx2.Client:
        known = self._clients.get((credential, base_url + str(more or "")))
        if known is not None:
            return known
        headers = {**({"Authorization": f"Bearer {credential}"} if credential else {}), **(more or {})}
        transport = httpx2.HTTPTransport(uds=uds, verify=False)
        client = httpx2.Client(base_url=base_url, transport=transport, headers=headers, timeout=LIMIT_S)
        self._clients[credential, base_url + str(more or "")] = client
        return client


@contextlib.contextmanager
def running(
    folder: Path,
    config: str = "",
    *,
    environ: Mapping[str, str] | None = None,
    arguments: Sequence[str] = ("--port", "0"),
) -> Generator[Backend]:
    """A backend with `config` as its config.toml, until left. Waits until it says that it is ready."""
    home = Home(folder)
    home.make()
    if config:
        home.config.touch(0o600)
        home.config.write_text(config, "utf-8")
    process = _start(home, environ or {}, arguments)
    endpoint = discovery.read_endpoint(home)
    assert endpoint is not None
    assert endpoint.port is not None
    backend = Backend(home, endpoint.port, process)
    try:
        yield backend
    finally:
        backend.hang_up()
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(LIMIT_S)
        finally:
            if process.poll() is None:
                process.kill()


def _start(home: Home, environ: Mapping[str, str], arguments: Sequence[str]) -> "subprocess.Popen[bytes]":
    ready, child_end = os.pipe()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")}
    own = {
        "HEARTH_HOME": str(home.root),
        "HEARTH_MODELS__LOOK_AROUND": "false",
        "HEARTH_BRIDGE__PORT": "0",
        discovery.READY_FD: str(child_end),
        **environ,
    }
    (home.logs / "output").touch(0o600)
    with open(home.logs / "output", "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "hearth_backend", "up", "--headless", *arguments],
            env={**kept, **own},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(child_end,),
            start_new_session=True,
        )
    os.close(child_end)
    with open(ready, "rb") as pipe:
        said = json.loads(pipe.read() or b"{}")
    if not said.get("ready"):
        process.wait(LIMIT_S)
        raise AssertionError(f"the backend did not start: {said} {(home.logs / 'output').read_text()}")
    return process


def wrong_token() -> str:
    """A token that nobody gave out."""
    return f"hth_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"
