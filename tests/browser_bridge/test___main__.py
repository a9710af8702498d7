"""The bridge as a program: started as the backend starts it."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from hearth_shared.discovery import read_bridge
from hearth_shared.extension import CHROMIUM_ORIGIN
from support.backend import Backend, running
from support.bridge import LIMIT_S, Paired, pair

pytestmark = pytest.mark.integration


@contextlib.contextmanager
def started(house: Backend, first: bytes) -> Generator[tuple["subprocess.Popen[bytes]", int]]:
    """A bridge, and its port."""
    command = [sys.executable, "-I", "-m", "hearth_bridge"]
    env = {"HEARTH_HOME": str(house.home.root), "PATH": os.environ["PATH"]}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(first)
        process.stdin.flush()
        try:
            yield process, int(json.loads(process.stdout.readline())["port"])
        finally:
            process.stdin.close()
            process.wait(LIMIT_S)


def test_it_listens_where_it_is_told_and_ends_with_its_input(house: Backend, paired: Paired) -> None:
    with started(house, b'{"port": 0}\n') as (process, port):
        origin, protocols = CHROMIUM_ORIGIN, ["hearth.v1", f"hearth.token.{paired.token}"]
        with connect(f"ws://127.0.0.1:{port}/v1", origin=origin, subprotocols=protocols) as browser:  # type: ignore[arg-type]
            browser.send('{"ping": 1}')
            assert json.loads(browser.recv()) == {"pong": 1}
            browser.send('{"id": 1, "method": "GET", "path": "/v1/status"}')
            assert json.loads(browser.recv())["status"] == 200
            browser.send('{"id": 2, "follow": "/v1/events", "after_seq": 0}')  # from now on begins a little later
            asked = {"external_id": "1", "occurred_at": "2026-01-05T09:00:00Z", "text": "The gate code is 7."}
            house.door().post("/v1/memory/episodes", json={"episodes": [asked]})
            while "memory.stored" not in [event["type"] for event in json.loads(browser.recv(LIMIT_S))["events"]]:
                pass
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(LIMIT_S) == 0
            with pytest.raises(Exception, match="1001"):
                browser.recv()


def test_a_taken_port_is_passed_over(house: Backend) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1]
        with started(house, json.dumps({"port": wanted}).encode() + b"\n") as (_, port):
            assert port != wanted


def test_without_a_backend_it_says_why_and_goes(tmp_path: Path) -> None:
    env = {"HEARTH_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-I", "-m", "hearth_bridge"],
        input=b"\n",
        capture_output=True,
        env=env,
        timeout=LIMIT_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"key cannot be read" in done.stderr
    assert b"Traceback" not in done.stderr


def test_it_does_not_wake_while_nobody_asks(house: Backend) -> None:
    with started(house, b'{"port": 0}\n') as (process, _):
        status = Path("/proc", str(process.pid), "status")
        deadline = time.monotonic() + LIMIT_S
        while not _rests(status, 0.3):  # it has begun once it rests for a while
            assert time.monotonic() < deadline
        assert _rests(status, 1)


def _rests(status: Path, seconds: float) -> bool:
    """Whether it does nothing for so long: what it does not do in this time is what is looked at."""
    before = _switches(status)
    time.sleep(seconds)
    return _switches(status) == before


def test_the_backends_own_bridge_goes_with_a_killed_backend(tmp_path: Path) -> None:
    with running(tmp_path / "home") as house:
        pair(house)
        bridge = read_bridge(house.home)
        while bridge is None:
            bridge = read_bridge(house.home)
        descriptor = os.pidfd_open(bridge.pid)
        house.process.kill()
        with socket.socket() as other:
            _until_gone(descriptor)
            assert other.connect_ex(("127.0.0.1", bridge.port)) != 0


def _until_gone(descriptor: int) -> None:
    assert select.select([descriptor], [], [], LIMIT_S)[0]
    os.close(descriptor)


def _switches(status: Path) -> int:
    line = next(line for line in status.read_text().splitlines() if line.startswith("voluntary_ctxt_switches"))
    return int(line.split()[1])
