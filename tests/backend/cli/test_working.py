import json
import time
from typing import Any

import pytest

from support.shell import hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration

EMPTY: dict[str, Any] = {"thread_id": "thread_1", "version": 3, "task": None, "run": None, "turns": [], "results": []}


def held() -> dict[str, Any]:
    now = time.time()
    return EMPTY | {
        "task": {"text": "the tax return", "door": "editor", "at": now, "expires_at": now + 3600},
        "run": {"run_id": "run_1", "goal": "Sum it up", "status": "cancelled", "problem": "", "at": now},
        "turns": [{"id": "msg_1", "role": "user", "text": "Sum it up", "run_id": "run_1", "at": now}],
        "results": [
            {
                "id": "1.2", "run_id": "run_1", "tool": "read_file", "text": "a line", "characters": 6,
                "trusted": False, "local_only": False, "at": now,
            }
        ],
    }  # fmt: skip


def test_what_is_at_hand_is_shown(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/threads/thread_1/working"] = lambda asked: held()
    told = hearth("memory", "working", "thread_1").out
    assert "Worked on: the tax return" in told
    assert "Came to no end: Sum it up  run_1" in told
    assert "you  Sum it up" in told
    assert "read_file  6 characters" in told


def test_nothing_at_hand_is_said(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/threads/thread_1/working"] = lambda asked: EMPTY
    assert hearth("memory", "working", "thread_1").out == "Nothing of the last hour is at hand in this thread.\n"
    assert json.loads(hearth("memory", "working", "thread_1", "--json").out) == EMPTY


@pytest.mark.parametrize(("given", "task"), [(("--task", "the roof"), "the roof"), (("--clear",), "")])
def test_the_task_is_set_as_of_the_version_that_was_read(
    backend: SmallBackend, given: tuple[str, ...], task: str
) -> None:
    backend.routes["GET", "/v1/threads/thread_1/working"] = lambda asked: EMPTY
    backend.routes["PUT", "/v1/threads/thread_1/working"] = lambda asked: held()
    assert hearth("memory", "working", "thread_1", *given).status == 0
    assert backend.asked[-1].body == {"version": 3, "task": task}


def test_a_task_is_not_set_and_taken_away_at_once(backend: SmallBackend) -> None:
    told = hearth("memory", "working", "thread_1", "--task", "x", "--clear")
    assert told.status == 1
    assert "either set or taken away" in told.err
    assert backend.asked == []
