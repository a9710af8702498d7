"""kill -9 of the whole backend, and of its children, at random moments: nothing acknowledged is lost, nobody is left.

HEARTH_CRASH_N says how often the backend is killed while tasks are posted.
"""

import json
import os
import random
import shutil
import signal
import threading
from pathlib import Path

import httpx2
import psutil
import pytest

from support import tools
from support.backend import Backend, running
from support.command import hearth
from support.gguf_files import tiny_gguf

__all__ = ["tiny_gguf"]
pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]
KILLS = max(1, int(os.environ.get("HEARTH_CRASH_N", "5")) // 2)
FINAL = {"finished", "failed", "cancelled", "dead"}
# A run that is being done when the process dies has used up an attempt; here that says nothing against the run.
PATIENT = "[runs]\nworkers = 2\nattempts = 20\n"
TASKS = "/v1/agents/assistant/tasks"


def _post_until_it_dies(backend: Backend, acknowledged: list[str], first: threading.Event) -> None:
    with backend.over_socket(backend.key("tray")) as door:
        try:
            while True:
                number = len(acknowledged)
                made = door.post(TASKS, json={"goal": f"what can you do? ({number})"})
                assert made.status_code == 202, made.text
                acknowledged.append(made.json()["task_id"])
                first.set()
        except httpx2.TransportError:
            first.set()


def _killed_while_posting(folder: Path, after: float) -> list[str]:
    acknowledged: list[str] = []
    first = threading.Event()
    with running(folder, PATIENT) as backend:
        children = psutil.Process(backend.process.pid).children(recursive=True)
        poster = threading.Thread(target=_post_until_it_dies, args=(backend, acknowledged, first))
        poster.start()
        assert first.wait(60)
        threading.Event().wait(after)
        children += psutil.Process(backend.process.pid).children(recursive=True)
        backend.stop(signal.SIGKILL)
        poster.join(60)
        _, left = psutil.wait_procs(children, timeout=60)
        assert not left, "children outlived the backend"
    return acknowledged


def _ended(backend: Backend, task: str) -> str:
    """Follow the task to its end."""
    door = backend.door()
    with door.stream("GET", f"/v1/tasks/{task}/events") as stream:
        for _ in stream.iter_lines():
            pass
    found = door.get(f"/v1/agents/assistant/tasks/{task}")
    assert found.status_code == 200, f"{task} was acknowledged and is lost"
    return found.json()["status"]


def test_every_acknowledged_task_survives_kills_of_the_whole_backend(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    moments = random.Random(7)
    acknowledged: list[str] = []
    for _ in range(KILLS):
        acknowledged += _killed_while_posting(folder, moments.uniform(0.0, 0.3))
    with running(folder, PATIENT) as backend:
        states = {task: _ended(backend, task) for task in acknowledged}
    assert len(acknowledged) >= KILLS
    assert set(states.values()) == {"finished"}


def test_a_killed_engine_is_started_again_and_nobody_is_left(tmp_path: Path, tiny_gguf: Path) -> None:
    tools.need("llama_cpp")
    with running(tmp_path / "home") as backend:
        shutil.copyfile(tiny_gguf, backend.home.models / tiny_gguf.name)
        asked = {"model": "auto", "stream": True, "max_tokens": 3500, "messages": [{"role": "user", "content": "hi"}]}
        door = backend.door()
        with door.stream("POST", "/v1/chat/completions", json=asked) as stream:
            lines = stream.iter_lines()
            while '"content":"' not in (line := next(lines)) or '"content":""' in line:
                pass  # an answer that has said nothing yet would be begun again, unseen
            _engine(backend).kill()
            rest = list(lines)
        assert "data: [DONE]" not in rest
        assert any("error" in line for line in rest)
        whole = door.post("/v1/chat/completions", json={**asked, "stream": False, "max_tokens": 4})
        assert whole.status_code == 200, whole.text
        children = psutil.Process(backend.process.pid).children(recursive=True)
        assert children
    _, left = psutil.wait_procs(children, timeout=60)
    assert not left


def test_an_answer_broken_by_a_kill_is_whole_afterwards_without_doubled_text(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    with running(folder) as backend:
        door = backend.door()
        thread = door.post("/v1/threads", json={}).json()["id"]
        sent = door.post(f"/v1/threads/{thread}/messages", json={"text": "what can you do?"}).json()
        backend.stop(signal.SIGKILL)
    with running(folder) as backend:
        assert _ended(backend, sent["task_id"]) == "finished"
        answers = [
            message
            for message in backend.door().get(f"/v1/threads/{thread}").json()["messages"]
            if message["role"] == "assistant"
        ]
        shown = _shown(backend, sent["task_id"])
    assert len(answers) == 1
    assert shown == answers[0]["text"]


def test_the_next_question_starts_a_killed_backend_again(tmp_path: Path) -> None:
    with running(tmp_path / "home") as backend:
        backend.stop(signal.SIGKILL)
        said = hearth(backend, "ask", "what can you do?")
        assert said.status == 0, said.err
        assert hearth(backend, "down").status == 0


def _engine(backend: Backend) -> psutil.Process:
    children = psutil.Process(backend.process.pid).children()
    return next(child for child in children if "hearth_backend.engine.worker" in " ".join(child.cmdline()))


def _shown(backend: Backend, task: str) -> str:
    """The text as a client puts it together from the events."""
    parts: dict[int, str] = {}
    with backend.door().stream("GET", f"/v1/tasks/{task}/events") as stream:
        for line in stream.iter_lines():
            if not line.startswith("data: {"):
                continue
            event = json.loads(line.removeprefix("data: "))
            match event:
                case {"type": "text.delta", "data": {"part": part, "offset": offset, "text": text}}:
                    assert offset == len(parts.get(part, ""))
                    parts[part] = parts.get(part, "") + text
                case {"type": "text.reset", "data": {"part": part}}:
                    parts[part] = ""
                case _:
                    pass
    return "".join(parts[part] for part in sorted(parts))
