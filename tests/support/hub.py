"""A model hub on loopback, over real HTTP: repositories, byte ranges, redirects to storage elsewhere, and faults.

with FakeHub() as hub:
    hub.put("maker/tiny-GGUF", "tiny-Q8_0.gguf", content)
    … hub.url, hub.seen …
"""

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_PIECE = 16_384


class Seen(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass
class Stored:
    """A file of a repository. `sha256` and `size` are what the hub says of it, true or not."""

    content: bytes
    sha256: str
    size: int


@dataclass
class FakeHub:
    """What it holds and what it does wrong; `seen` is what was asked of it."""

    repositories: dict[str, dict[str, Stored]] = field(default_factory=dict[str, dict[str, Stored]])
    refuse: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict[str, tuple[int, dict[str, str]]])
    licence: str = "apache-2.0"
    break_after: list[int] = field(default_factory=list[int])  # each transfer takes one: bytes until the line breaks
    broken_file_status: int = 0
    storage: "FakeHub | None" = None  # where files are redirected to, as the public hub does
    page: bytes = b""  # said instead of anything else: a captive portal
    hold_at: int = 0  # a transfer stops here, tells `held`, and goes on when `go` is set
    held: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    seen: list[Seen] = field(default_factory=list[Seen])

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """What HF_ENDPOINT is set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def transfers(self) -> list[Seen]:
        """The requests for a file's bytes."""
        return [seen for seen in self.seen if seen.method == "GET" and "/resolve/" in seen.path]

    def put(self, repo: str, name: str, content: bytes, *, sha256: str = "", size: int | None = None) -> None:
        """Add a file; by default the hub tells the truth about it."""
        said = sha256 or hashlib.sha256(content).hexdigest()
        self.repositories.setdefault(repo, {})[name] = Stored(content, said, len(content) if size is None else size)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.seen.append(Seen(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        if self.hub.page:
            return self._whole(200, self.hub.page, {"Content-Type": "text/html"})
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)", path):
            return self._about(found[1])
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            return self._file(found[1], found[2])
        self._whole(404, b"{}", {})

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _about(self, repo: str) -> None:
        if repo in self.hub.refuse:
            status, headers = self.hub.refuse[repo]
            return self._whole(status, b'{"error": "no"}', headers)
        if repo not in self.hub.repositories:
            return self._whole(404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"})
        files = [
            {
                "rfilename": name,
                "size": one.size,
                "blobId": "b",
                "lfs": {"sha256": one.sha256, "size": one.size, "pointerSize": 130},
            }
            for name, one in self.hub.repositories[repo].items()
        ]
        tags = ["gguf", f"license:{self.hub.licence}"]
        said = {"id": repo, "sha": COMMIT, "siblings": files, "tags": tags, "private": False, "downloads": 0}
        self._whole(200, json.dumps(said).encode(), {"Content-Type": "application/json"})

    def _file(self, repo: str, name: str) -> None:
        if self.hub.storage is not None:
            return self._whole(302, b"", {"Location": f"{self.hub.storage.url}{self.path}"})
        one = self.hub.repositories.get(repo, {}).get(name)
        if one is None or self.hub.broken_file_status:
            status = self.hub.broken_file_status or 404
            return self._whole(status, b"", {"X-Error-Code": "EntryNotFound"} if status == 404 else {})
        begin = int(found[1]) if (found := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))) else 0
        part = one.content[begin:]
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(one.content) - 1}/{len(one.content)}")
        self.send_header("Content-Length", str(len(part)))
        self.send_header("ETag", f'"{one.sha256}"')
        self.end_headers()
        self._send(part)

    def _send(self, part: bytes) -> None:
        most = self.hub.break_after.pop(0) if self.hub.break_after else len(part)
        sent = 0
        try:
            while sent < min(most, len(part)):
                piece = part[sent : min(sent + _PIECE, most)]
                self.wfile.write(piece)
                sent += len(piece)
                if self.hub.hold_at and sent >= self.hub.hold_at and not self.hub.go.is_set():
                    self.wfile.flush()
                    self.hub.held.set()
                    self.hub.go.wait(60)
        except OSError:
            pass  # the other side has left
        if most < len(part):
            self.close_connection = True

    def _whole(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
