"""A real job: three files read, a summary written and put right, committed to git; decided once each on the terminal,
on the tray's card and over the socket; and taken back, byte for byte. And what it may not do, though it tries."""

import asyncio
import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from hearth_desktop import theme
from hearth_desktop.approvals.inbox import InboxWindow
from hearth_desktop.approvals.model import ApprovalModel
from hearth_desktop.net.api import Api
from hearth_desktop.net.events import EventStream
from hearth_desktop.net.locator import Locator
from support.backend import Backend, running
from support.ordinary import LIMIT_S, as_ordinary_user, only_for_others, only_for_root
from support.places import tree
from support.provider import Behaviour, ModelServer, Received, Reply, model_server, tool_call, words
from support.qt_garbage import collected_in_this_thread
from support.qt_waits import wait
from support.shell import Typist
from support.tools import need

__all__ = ["collected_in_this_thread"]
pytestmark = pytest.mark.desktop

PATCH = "@@ -1,3 +1,3 @@\n # Summary\n-Three birds.\n+A heron, a wren and an owl.\n \n"
COMMIT = "git add -A && git -c user.name=Me -c user.email=me@localhost commit -q -m 'A summary' && git log --oneline"


def call(number: int, name: str, **arguments: Any) -> Behaviour:
    return tool_call(name, json.dumps(arguments), call_id=f"c{number}")


JOB = (
    *(call(number, "read_file", path=f"{name}.txt") for number, name in enumerate(("one", "two", "three"))),
    call(3, "write_file", path="summary.md", text="# Summary\nThree birds.\n\n"),
    call(4, "edit_file", path="summary.md", patch=PATCH),
    call(5, "shell", command=COMMIT),
    words("The summary is written and committed."),
)


@contextlib.contextmanager
def serving(*behaviours: Behaviour) -> Generator[ModelServer]:
    """A model server on a thread of its own, for tests whose loop is Qt's."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = contextlib.AsyncExitStack()
    try:
        yield asyncio.run_coroutine_threadsafe(stack.enter_async_context(model_server(*behaviours)), loop).result(60)
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextlib.contextmanager
def working(tmp_path: Path, granted: Path, *behaviours: Behaviour, rules: str = "") -> Generator[Backend]:
    """A backend whose model does as scripted, in a granted folder."""
    with serving(*behaviours) as server:
        home = granted / "home" if rules else tmp_path / "home"
        home.mkdir(mode=0o700)
        (home / "policy.toml").write_text(rules)
        config = f'[tools]\nroots = "{granted}"\n[providers.p]\nurl = "{server.url}"\nwhere = "this machine"\n'
        with running(home, config) as backend:
            yield backend


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with three files."""
    need("git")
    folder = tmp_path / "birds"
    folder.mkdir()
    for name, bird in (("one", "heron"), ("two", "wren"), ("three", "owl")):
        (folder / f"{name}.txt").write_text(f"A {bird}.\n")
    git = ["git", "-c", "user.name=Me", "-c", "user.email=me@localhost"]
    for line in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Birds"]):
        subprocess.run([*git, *line], cwd=folder, check=True)
    return folder


class Inbox:
    """The tray's inbox in sight."""

    def __init__(self, qtbot: QtBot, qapp: QApplication, backend: Backend) -> None:
        self.qtbot = qtbot
        self.parent = parent = QObject()
        api = Api(Locator(backend.home, parent), parent)
        self.stream = EventStream(api, parent)
        self.model = ApprovalModel(api, self.stream, parent)
        self.window = InboxWindow(self.model, theme.apply(qapp))
        qtbot.addWidget(self.window)
        self.stream.start()
        self.window.show()

    def waiting(self, tool: str) -> str:
        """The id of what waits, once this tool's card is there."""
        wait(self.qtbot, lambda: any(one["tool"] == tool for one in self.model.pending))
        return next(one["id"] for one in self.model.pending if one["tool"] == tool)

    def accept(self, approval_id: str) -> None:
        """As a person does: look at the card, then press A."""
        self.window.choose(approval_id)
        wait(self.qtbot, lambda: self.window.card.approval_id == approval_id and self.window.card.is_armed)
        QTest.keyClick(self.window, Qt.Key.Key_A)
        wait(self.qtbot, lambda: all(one["id"] != approval_id for one in self.model.pending))


@pytest.fixture
def inboxes(qtbot: QtBot, qapp: QApplication) -> Iterator[list[Inbox]]:
    """What is opened is closed."""
    made: list[Inbox] = []
    yield made
    for inbox in made:
        inbox.stream.stop()


def told(backend: Backend, task_id: str, *kinds: str) -> None:
    """Once one of these events of the task has come."""
    with backend.door().stream("GET", f"/v1/tasks/{task_id}/events") as events:
        assert any(line in [f"event: {kind}" for kind in kinds] for line in events.iter_lines())


def ended(backend: Backend, task_id: str) -> dict[str, Any]:
    """The task, once it has come to its end."""
    told(backend, task_id, "task.finished", "task.failed")
    return backend.door().get(f"/v1/tasks/{task_id}").json()


@only_for_root
@pytest.mark.timeout(LIMIT_S + 20)
def test_as_an_ordinary_user() -> None:
    need("bwrap")
    assert "passed" in as_ordinary_user(Path(__file__))


@only_for_others
def test_a_job_is_decided_at_three_doors_and_taken_back(
    tmp_path: Path, repository: Path, qtbot: QtBot, qapp: QApplication, inboxes: list[Inbox]
) -> None:
    need("bwrap")
    before = tree(repository)
    with working(tmp_path, repository, *JOB) as backend:
        tray = backend.door("tray")
        inbox = Inbox(qtbot, qapp, backend)
        inboxes.append(inbox)
        goal = {"goal": "Summarise the three files and commit the summary."}
        task_id = tray.post("/v1/agents/coder/tasks", json=goal).json()["task_id"]
        first = inbox.waiting("write_file")
        with Typist(["approvals", "approve", first], environ={"HEARTH_HOME": str(backend.home.root)}) as person:
            person.read_until("Type accept: ")
            person.type("accept\n")
            person.read_until("Accepted, once.")
        inbox.accept(inbox.waiting("edit_file"))
        last = inbox.waiting("shell")
        assert tray.post(f"/v1/approvals/{last}", json={"decision": "accept"}).status_code == 200
        assert tray.post(f"/v1/approvals/{last}", json={"decision": "ignore"}).status_code == 409
        task = ended(backend, task_id)
        assert task["answer"]["text"] == "The summary is written and committed."
        assert "A heron, a wren and an owl." in (repository / "summary.md").read_text()
        log = subprocess.run(["git", "log", "--oneline"], cwd=repository, capture_output=True, text=True, check=True)
        assert len(log.stdout.splitlines()) == 2
        decided = tray.get("/v1/approvals").json()["approvals"]
        assert sorted(one["decided_by"] for one in decided) == ["cli", "tray", "tray"]
        (repository / "summary.md").write_text("changed by hand")
        refused = tray.post(f"/v1/tasks/{task_id}/undo", json={})
        assert (refused.status_code, refused.json()["changed"]) == (409, ["summary.md"])
        (repository / "summary.md").write_text("# Summary\nA heron, a wren and an owl.\n\n")
        undone = tray.post(f"/v1/tasks/{task_id}/undo", json={})
        assert undone.status_code == 200, undone.text
        inbox.stream.stop()  # before the backend goes: a tray would start another
    assert tree(repository) == before


ALLOWED = '[[rule]]\ntool = "*"\ndecision = "allow"\norigin = "tray"\n'
ESCAPE = """
find / -xdev -type f -readable -not -path '/proc/*' -not -path '/usr/*' -exec cat {{}} + > all 2>/dev/null
hearth approvals approve {approval} > said 2>&1
curl -sS --unix-socket {home}/run/api.sock -H "Authorization: Bearer $(cat {home}/run/tray.key)" \\
  -H 'Content-Type: application/json' -d '{{"decision": "accept"}}' \\
  http://localhost/v1/approvals/{approval} >> said 2>&1
python3 -c "import socket; socket.socket(socket.AF_UNIX).connect('{home}/run/api.sock')" >> said 2>&1
echo '[[rule]]' > {home}/policy.toml
ls -la {home} >> said
true
"""


@only_for_others
def test_a_run_cannot_decide_for_itself_whatever_it_tries(tmp_path: Path) -> None:
    """The granted folder even holds Hearth's own, and the rules allow everything unasked."""
    need("bwrap")
    granted = tmp_path / "granted"
    granted.mkdir()
    home, known = granted / "home", dict[str, str]()

    async def attack(reply: Reply, request: Received) -> None:
        command = ESCAPE.format(approval=known["approval"], home=home)
        await call(2, "shell", command=command)(reply, request)

    tries = (
        call(0, "write_file", path=".git/x", text="x"),
        call(0, "read_file", path="home/run/tray.key"),
        call(1, "write_file", path="home/policy.toml", text="[[rule]]"),
        attack,
        words("I tried."),
    )
    with working(tmp_path, granted, *tries, rules=ALLOWED) as backend:
        tray = backend.door("tray")
        waits = tray.post("/v1/agents/coder/tasks", json={"goal": "wait for a decision"}).json()["task_id"]
        told(backend, waits, "approval.requested")
        (found,) = tray.get("/v1/approvals?status=pending").json()["approvals"]
        known["approval"] = found["id"]
        task = ended(backend, tray.post("/v1/agents/coder/tasks", json={"goal": "try"}).json()["task_id"])
        assert task["answer"]["text"] == "I tried."
        said, everything = (granted / "said").read_text(), (granted / "all").read_bytes()
        assert len(said.splitlines()) >= 3, said
        for door in ("tray", "cli", "editor"):
            assert backend.key(door).encode() not in everything
        assert b"SQLite format" not in everything
        assert tray.get(f"/v1/approvals/{known['approval']}").json()["status"] == "pending"
        assert (home / "policy.toml").read_text() == ALLOWED
        assert tray.post(f"/v1/tasks/{task['id']}/undo", json={}).status_code == 200
        assert sorted(path.name for path in granted.iterdir()) == ["home"]
