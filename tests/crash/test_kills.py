"""kill -9 at random moments while tasks are posted: what was acknowledged is there, and is done once.

HEARTH_CRASH_N says how often.
"""

import itertools
import json
import os
import random
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hearth_backend.storage import driver
from hearth_backend.storage.driver import Connection
from hearth_shared.protocol.events import Event, EventType
from support.orchestra import shown

pytestmark = pytest.mark.crash
KILLS = int(os.environ.get("HEARTH_CRASH_N", "5"))
ROOT = Path(__file__).parent / "reduced_root.py"
LONGEST_LIFE_S = 0.25
TOGETHER, MOST_TASKS = 3, 10


@dataclass
class Life:
    """One process, from its start to its end."""

    folder: Path
    acknowledged: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PATH": ""}
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            bufsize=0,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout
        self._rest = b""
        assert self._out.readline() == b"ready\n"

    def post_until(self, moment: float, keys: Iterator[int]) -> None:
        """Post tasks, some at a time, as they are acknowledged."""
        for left_to_post in itertools.count(MOST_TASKS, -1):
            if (left := moment - time.monotonic()) <= 0:
                return
            if left_to_post > 0:
                self._in.write(b"".join(b"%d\n" % next(keys) for _ in range(TOGETHER)))
            if select.select([self._out], [], [], left)[0]:
                self._hear(os.read(self._out.fileno(), 65_536))

    def kill(self) -> None:
        """No chance to tidy up. What it had acknowledged and nobody had read yet counts too."""
        self._process.kill()
        self._end()
        assert self._process.wait() != 0

    def finish(self) -> None:
        """Let it do everything and stop."""
        self._in.close()
        self._end()
        assert self._process.wait() == 0

    def _end(self) -> None:
        while data := os.read(self._out.fileno(), 65_536):
            self._hear(data)
        self._in.close()
        self._out.close()

    def _hear(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.acknowledged |= dict(line.decode().split(" ") for line in lines)


class Remains:
    """What a process left on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def done(self) -> set[tuple[str, str]]:
        """(task, step) of every step that was journaled as done; the database is whole."""
        with driver.errors("read"):
            connection = driver.connect(self._folder / "hearth.db")
            assert connection.execute("pragma quick_check").fetchone()[0] == "ok"
            rows = connection.execute("select run_id, seq from step where state = 'done'").fetchall()
            connection.close()
        return {(row["run_id"], str(row["seq"])) for row in rows}

    def effects(self) -> list[tuple[str, str]]:
        """(task, step) of every body that was begun, in order."""
        path = self._folder / "effects"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(task, step) for task, step in (line.split(" ") for line in lines)]


def test_nothing_acknowledged_is_lost_and_nothing_done_is_done_again(tmp_path: Path) -> None:
    dice, remains, keys = random.Random(), Remains(tmp_path), iter(range(10**9))
    acknowledged: dict[str, str] = {}
    begun = 0
    done: set[tuple[str, str]] = set()
    for kill in range(KILLS + 1):
        life = Life(tmp_path, acknowledged)
        if kill < KILLS:
            life.post_until(time.monotonic() + dice.uniform(0, LONGEST_LIFE_S), keys)
            life.kill()
        else:
            life.finish()
        effects = remains.effects()
        assert not done & set(effects[begun:]), "a finished step was done again"
        begun, done = len(effects), remains.done()
    connection = driver.connect(tmp_path / "hearth.db", read_only=True)
    assert_all_is_there(connection, acknowledged)
    assert_every_run_is_told_once(connection)
    connection.close()


def assert_all_is_there(connection: Connection, acknowledged: dict[str, str]) -> None:
    runs = {row["idempotency_key"]: row for row in connection.execute("select * from run")}
    assert {key: runs[key]["id"] for key in acknowledged} == acknowledged
    assert Counter(row["status"] for row in runs.values()) == Counter({"finished": len(runs)})


def assert_every_run_is_told_once(connection: Connection) -> None:
    """Who follows the events from the first to the last sees each answer once, whole."""
    answers = {row["id"]: json.loads(row["answer"])["text"] for row in connection.execute("select * from run")}
    stories: dict[str, list[Event]] = {}
    for row in connection.execute("select * from event order by seq"):
        event = Event(seq=row["seq"], time=row["at"], type=EventType(row["type"]), data=json.loads(row["data"]))
        stories.setdefault(row["run_id"], []).append(event)
    assert {run_id: shown(story) for run_id, story in stories.items()} == answers
    ends = {run_id: [e.type for e in story].count(EventType.TASK_FINISHED) for run_id, story in stories.items()}
    assert set(ends.values()) == {1}
