"""kill -9 at random moments while effects are asked for, begun and done: none is lost, doubled, or done without leave.

A sink on loopback counts them. HEARTH_CRASH_EFFECTS says how often (20; 200 in `make soak`).
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from hearth_backend.storage import driver
from support import tools_of_tests

__all__ = ["tools_of_tests"]
pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]
KILLS = int(os.environ.get("HEARTH_CRASH_EFFECTS", "20"))
ROOT = Path(__file__).parent / "effects_root.py"
EFFECTS = 2
LONGEST_LIFE_S = 0.4


@dataclass
class Sink:
    """What came, by idempotency key."""

    port: int = 0
    hits: "Counter[str]" = field(default_factory=lambda: Counter[str]())


@contextmanager
def sink() -> Generator[Sink]:
    found, lock = Sink(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            with lock:
                found.hits[self.path[1:]] += 1
            self._answer(b"yes")

        def do_GET(self) -> None:
            with lock:
                came = found.hits[self.path[1:]] > 0
            self._answer(b"yes" if came else b"no")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    class Server(HTTPServer):  # one after the other: who looks sees what the dead had sent
        def handle_error(self, request: object, client_address: object) -> None:
            """Who asked was killed before the answer."""

    server = Server(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def begin(folder: Path, port: int) -> "subprocess.Popen[str]":
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PATH": ""}
    return subprocess.Popen(
        [sys.executable, str(ROOT), str(folder), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )


def live(lives: "subprocess.Popen[str]", line: str) -> int:
    """Begin a life; its pid."""
    assert lives.stdin
    assert lives.stdout
    lives.stdin.write(f"{line}\n")
    lives.stdin.flush()
    return int(lives.stdout.readline())


def ended(lives: "subprocess.Popen[str]") -> None:
    assert lives.stdout
    assert lives.stdout.readline() == "ended\n"


def acknowledged(folder: Path) -> dict[str, str]:
    lines = (folder / "acknowledged").read_text().splitlines()
    return dict(line.split(" ") for line in lines)


def tasks_on_disk(folder: Path) -> int:
    with driver.errors("read"):
        connection = driver.connect(folder / "hearth.db", read_only=True)
        count = connection.execute("select count(*) from run").fetchone()[0]
        connection.close()
    return count


def test_no_effect_is_lost_doubled_or_done_without_leave(tmp_path: Path) -> None:
    dice = random.Random()
    with sink() as found:
        lives = begin(tmp_path, found.port)
        for _ in range(KILLS):
            pid = live(lives, "live")
            time.sleep(dice.uniform(0.02, LONGEST_LIFE_S))
            os.kill(pid, signal.SIGKILL)
            ended(lives)
        live(lives, f"finish {tasks_on_disk(tmp_path)}")
        ended(lives)
        lives.communicate()
        connection = driver.connect(tmp_path / "hearth.db", read_only=True)
        runs = {row["id"]: row["status"] for row in connection.execute("select id, status from run")}
        granted = {
            row["effect_key"].partition(":unknown")[0]
            for row in connection.execute("select effect_key from approval where decision = 'accept'")
        }
        asked = connection.execute("select count(*) as n, sum(kind = 'unknown') as unknown from approval").fetchone()
        connection.close()
    wanted = {f"{id}:{number}" for id in runs for number in range(EFFECTS + 1)}
    must_be_once = {key for key in wanted if not key.endswith(f":{EFFECTS}")}
    print(
        f"{KILLS} kills, {len(runs)} tasks, {len(wanted)} effects, {asked['n']} questions, {asked['unknown']} unknown"
    )
    assert set(acknowledged(tmp_path).values()) <= set(runs), "a task was lost"
    assert set(runs.values()) == {"finished"}
    assert wanted - set(found.hits) == set(), "an effect was lost"
    assert {key: found.hits[key] for key in must_be_once} == dict.fromkeys(must_be_once, 1), "an effect was doubled"
    assert set(found.hits) <= granted, "an effect was done without leave"
