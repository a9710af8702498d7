"""The process of an engine as the backend sees it."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from hearth_backend.engine.child import Child, environment
from hearth_backend.engine.frames import Answer, Hello, Piece
from support.engines import ended

pytestmark = pytest.mark.integration


def test_the_environment_holds_no_secret_and_the_settings_that_must_come_first() -> None:
    around = {"PATH": "/bin", "HOME": "/h", "OPENAI_API_KEY": "sk", "HEARTH_KEY_X": "k", "LD_PRELOAD": "x.so"}
    quiet = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "100", "GGML_NO_BACKTRACE": "1"}
    assert environment(around) == {"PATH": "/bin", "HOME": "/h", **quiet}


class Watcher:
    """Collects what a child says, and waits for its end."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.ends = 0
        self.ended = asyncio.Event()

    def end(self, _child: Child) -> None:
        self.ends += 1
        self.ended.set()

    async def start(self, tmp_path: Path, script: str) -> Child:
        program = tmp_path / "program.py"
        program.write_text(f"import os, socket, sys, time\nbackend = socket.socket(fileno=0)\n{script}\n")
        return await Child.start(self.answers.append, self.end, (sys.executable, "-I", str(program)))


async def test_what_it_said_is_heard_before_its_end(tmp_path: Path) -> None:
    watcher = Watcher()
    script = (
        "from hearth_backend.engine.frames import *\n"
        "backend.sendall(encode(Hello(True)) + encode(Answer(1, Piece('x'))))\n"
        "print('last words', file=sys.stderr)\n"
        "os.abort()"
    )
    child = await watcher.start(tmp_path, script)
    await asyncio.wait_for(watcher.ended.wait(), 60)
    assert child.opening.get_nowait() == Hello(True)
    assert child.opening.get_nowait() is None
    assert watcher.answers == [Answer(1, Piece("x"))]
    assert child.how_it_ended() == "SIGABRT"
    assert child.last_words == "last words"
    assert watcher.ends == 1


async def test_a_child_that_exits_by_itself_has_ended_too(tmp_path: Path) -> None:
    watcher = Watcher()
    child = await watcher.start(tmp_path, "sys.exit(3)")
    await asyncio.wait_for(watcher.ended.wait(), 60)
    assert child.how_it_ended() == "status 3"
    await child.close()


@pytest.mark.logs("hearth_backend.engine.child")
async def test_a_child_that_speaks_nonsense_is_let_go(tmp_path: Path) -> None:
    watcher = Watcher()
    await watcher.start(tmp_path, "backend.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n')\nbackend.recv(1)")
    await asyncio.wait_for(watcher.ended.wait(), 60)
    assert watcher.answers == []


async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearth_backend.engine.child._PATIENCE_S", 0.1)
    watcher = Watcher()
    child = await watcher.start(tmp_path, "time.sleep(600)")
    await asyncio.wait_for(child.close(), 60)
    assert child.how_it_ended() == "SIGKILL"


async def test_the_child_has_a_session_of_its_own(tmp_path: Path) -> None:
    watcher = Watcher()
    script = (
        "from hearth_backend.engine.frames import *\n"
        "backend.sendall(encode(Answer(1, Piece(f'{os.getsid(0) == os.getpid()} {sorted(os.environ)}'))))"
    )
    await watcher.start(tmp_path, script)
    await asyncio.wait_for(watcher.ended.wait(), 60)
    (answer,) = watcher.answers
    assert isinstance(answer.event, Piece)
    assert answer.event.text.startswith("True")
    assert "HEARTH_HOME" not in answer.event.text


async def test_a_loop_that_ends_early_waits_for_no_child_and_leaves_none() -> None:
    script = """
import asyncio, sys
from hearth_backend.engine.child import Child

async def main():
    deaf = (sys.executable, "-c", "import time; time.sleep(600)")
    child = await Child.start(print, print, deaf)
    closing = asyncio.create_task(child.close())
    print(child.pid)

asyncio.run(main())
"""
    argv = [sys.executable, "-I", "-c", script]
    done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, check=True, timeout=60)
    await ended(int(done.stdout))
