import contextlib
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_backend.engine.embedder_frames import HEADER, Failed, decode, decode_header
from support.embedders import need_minilm

pytestmark = pytest.mark.integration
WORKER = [sys.executable, "-I", "-m", "hearth_backend.engine.embedder_worker"]
PARENT = """
import asyncio, sys, time
from pathlib import Path
from hearth_backend.engine.embedder import MiniLMEmbedder

async def main():
    embedder = MiniLMEmbedder(Path(sys.argv[1]))
    await embedder.embed(["hello"])
    print(embedder.pid, flush=True)
    time.sleep(60)

asyncio.run(main())
"""


def test_it_ends_when_the_backend_is_killed(tmp_path: Path) -> None:
    need_minilm()
    command = [sys.executable, "-c", PARENT, str(tmp_path / "minilm")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    with contextlib.suppress(psutil.NoSuchProcess):
        child.wait(60)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
async def test_no_thread_of_it_can_reach_a_network(tmp_path: Path) -> None:
    need_minilm()
    embedder = MiniLMEmbedder(tmp_path / "minilm")
    await embedder.embed(["hello"])
    statuses = [path.read_text("ascii") for path in Path(f"/proc/{embedder.pid}/task").glob("*/status")]
    await embedder.close()
    assert statuses
    assert all("Seccomp:\t2\n" in status for status in statuses)


def test_it_ends_at_once_when_nobody_is_there(tmp_path: Path) -> None:
    need_minilm()
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        ended = subprocess.run([*WORKER, str(tmp_path), "fp32", "1"], stdin=theirs.fileno(), timeout=60, check=False)
    assert ended.returncode == 0


def test_a_model_that_cannot_be_loaded_is_explained_before_the_end(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    (tmp_path / "file").write_text("in the way", "utf-8")
    command = [*WORKER, str(tmp_path / "file"), "fp32", "1"]
    with ours, theirs:
        ended = subprocess.run(command, stdin=theirs.fileno(), timeout=60, check=False)
        length, kind = decode_header(ours.recv(HEADER.size))
        frame = decode(kind, ours.recv(length))
    assert isinstance(frame, Failed)
    assert frame.fix
    assert ended.returncode == 1
