from pathlib import Path
from typing import Any

import pytest

from hearth_backend.orchestrator import store
from hearth_backend.storage import driver
from hearth_backend.storage.driver import Connection
from hearth_backend.storage.migrations import hearth, migrate

pytestmark = pytest.mark.integration


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    connection = driver.connect(tmp_path / "a.db")
    migrate(connection, tmp_path / "a.db", hearth.MIGRATIONS)
    return connection


class Plans:
    """What SQLite scans from end to end while a piece of the store runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._statements: list[str] = []

    def scans(self, function: Any, *args: Any) -> list[str]:
        self._statements.clear()
        self._connection.set_trace_callback(self._statements.append)
        function(self._connection, *args)
        self._connection.set_trace_callback(None)
        assert self._statements
        steps = [
            str(step["detail"])
            for statement in self._statements
            for step in self._connection.execute(f"explain query plan {statement}")
        ]
        return [step for step in steps if step.startswith("SCAN") and "INDEX" not in step and "CONSTANT" not in step]


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (store.claim_run, (1.0, 2.0, 3)),
        (store.holds_run, ("run_a", 1)),
        (store.run_by_key, ("person", "key")),
        (store.run_of, ("person", "run_a")),
        (store.runs_of, ("client:a", None, None, 10)),
        (store.interrupted_runs, ()),
        (store.events_after, ("person", 7, None, 10)),
        (store.events_after, ("person", 7, "run_a", 10)),
        (store.story_of, ("run_a",)),
        (store.steps_of, ("run_a",)),
        (store.messages_of, ("thread_a",)),
        (store.history_of, ("thread_a", "run_a")),
        (store.expire_approvals, (1.0,)),
    ],
)
def test_what_is_asked_often_is_found_by_an_index(connection: Connection, function: Any, args: tuple[Any, ...]) -> None:
    assert Plans(connection).scans(function, *args) == []


def test_a_scan_would_be_seen(connection: Connection) -> None:
    def scan(connection: Connection) -> None:
        connection.execute("select * from run where goal = 'x'")

    assert Plans(connection).scans(scan) == ["SCAN run"]


def test_the_queue_is_read_in_its_order_without_sorting(connection: Connection) -> None:
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    store.claim_run(connection, 1.0, 2.0, 3)
    connection.set_trace_callback(None)
    plan = [str(step["detail"]) for step in connection.execute(f"explain query plan {statements[0]}")]
    assert any("run_queue" in step for step in plan)
    assert not [step for step in plan if "TEMP B-TREE" in step]
