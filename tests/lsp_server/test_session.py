import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from hearth_shared.paths import Home
from support.backend import Backend
from support.editor import LIMIT_S, SERVER, editor, started

pytestmark = pytest.mark.editors


def frame(message: object) -> bytes:
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


async def test_shutdown_and_exit_end_it_well(bare: Backend) -> None:
    async with editor(bare.home) as one:
        assert await one.leave() == 0


async def test_exit_without_shutdown_ends_it_and_says_so(bare: Backend) -> None:
    async with editor(bare.home) as one:
        one.notify("exit", None)
        assert await asyncio.wait_for(one.process.wait(), LIMIT_S) == 1


async def test_exit_before_anything_else_ends_it(bare: Backend) -> None:
    async with started(bare.home) as one:
        one.notify("exit", None)
        assert await asyncio.wait_for(one.process.wait(), LIMIT_S) == 1


async def test_the_end_of_the_pipe_ends_it_and_leaves_no_child(bare: Backend) -> None:
    async with editor(bare.home) as one:
        await one.state("no model")
        children = psutil.Process(one.process.pid).children(recursive=True)
        assert one.process.stdin is not None
        one.process.stdin.close()
        assert await asyncio.wait_for(one.process.wait(), LIMIT_S) == 1
    assert children == []


async def test_the_end_of_the_editor_ends_it_though_its_pipe_is_held_open(bare: Backend) -> None:
    program = (sys.executable, "-c", "import sys; sys.stdin.read()")
    held_open = await asyncio.create_subprocess_exec(*program, stdin=subprocess.PIPE)
    async with started(bare.home) as one:
        await one.request("initialize", {"processId": held_open.pid, "capabilities": {}, "rootUri": None})
        assert held_open.stdin is not None
        held_open.stdin.close()
        await held_open.wait()
        assert await asyncio.wait_for(one.process.wait(), LIMIT_S) == 1


async def test_an_editor_that_is_not_to_be_seen_from_here_is_no_reason_to_end(bare: Backend) -> None:
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await ended.wait()
    async with started(bare.home) as one:
        await one.request("initialize", {"processId": ended.pid, "capabilities": {}, "rootUri": None})
        assert await one.request("shutdown", None) is None


async def test_bytes_that_are_no_messages_end_it_with_a_line_in_the_log(bare: Backend, tmp_path: Path) -> None:
    done = await asyncio.to_thread(_said, bare.home, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert done.returncode == 1
    assert b"without Content-Length" in done.stderr
    assert b"Traceback" not in done.stderr


async def test_a_message_cut_off_by_the_end_ends_it_quietly(bare: Backend) -> None:
    done = await asyncio.to_thread(_said, bare.home, b"Content-Length: 400\r\n\r\n{}")
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_session_can_come_from_a_file(bare: Backend, tmp_path: Path) -> None:
    told = tmp_path / "told"
    told.write_bytes(frame({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}))
    with open(told, "rb") as source, open(tmp_path / "said", "wb") as target:
        environ = {**os.environ, "HEARTH_HOME": str(bare.home.root)}
        done = subprocess.run(SERVER, stdin=source, stdout=target, env=environ, timeout=LIMIT_S, check=False)
    assert done.returncode == 1
    assert b"positionEncoding" in (tmp_path / "said").read_bytes()


def test_nobody_at_all_ends_it(bare: Backend) -> None:
    environ = {**os.environ, "HEARTH_HOME": str(bare.home.root)}
    done = subprocess.run(
        SERVER, stdin=subprocess.DEVNULL, env=environ, timeout=LIMIT_S, check=False, capture_output=True
    )
    assert (done.returncode, done.stderr) == (1, b"")


def test_an_editor_that_stops_reading_does_not_hold_it(bare: Backend) -> None:
    environ = {**os.environ, "HEARTH_HOME": str(bare.home.root)}
    with subprocess.Popen(SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as process:
        assert process.stdin is not None
        process.stdin.write(frame({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}))
        for number in range(2000):  # far more answers than a pipe holds
            process.stdin.write(frame({"jsonrpc": "2.0", "id": number + 2, "method": "no/such", "params": {}}))
        process.stdin.write(frame({"jsonrpc": "2.0", "method": "exit"}))
        process.stdin.flush()
        assert process.wait(LIMIT_S) == 1


def _said(home: Home, data: bytes) -> "subprocess.CompletedProcess[bytes]":
    """The server, told these bytes and nothing more."""
    environ = {**os.environ, "HEARTH_HOME": str(home.root)}
    return subprocess.run(SERVER, input=data, env=environ, timeout=LIMIT_S, check=False, capture_output=True)
