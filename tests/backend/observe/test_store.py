"""Spans keep no content, old ones go, and SQLite is asked how it is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hearth_backend.observe import store
from hearth_backend.observe.spans import Attribute, Span
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth, telemetry

pytestmark = pytest.mark.integration


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "telemetry.db", telemetry.MIGRATIONS)
    yield opened
    await opened.close()


def finished(started: float, name: str = "http") -> Span:
    span = Span(lambda _: None, name, "a" * 32, None, {})
    with span:
        pass
    span.started = started
    return span


async def test_spans_are_kept_and_old_ones_forgotten(database: Database) -> None:
    await store.add_spans(database, [finished(100), finished(200)])
    await store.forget_spans(database, 150)
    assert [row["started"] for row in await database.fetch("select started from span")] == [200]


@pytest.mark.parametrize(
    "value",
    [
        "assistant",
        "/v1/tasks/{task_id}",
        "this machine",
        "Qwen3-4B (Q4_K_M)",
        "http://127.0.0.1:11434/v1",
        "",
        7,
        0.5,
        True,
    ],
)
def test_names_and_numbers_are_kept(value: Attribute) -> None:
    assert store.kept({"key": value}) == {"key": value}


@pytest.mark.parametrize("value", ["What is my sister's name", "line\nbreak", "a" * 400, "it is 4711!"])
def test_any_other_text_is_left_out(value: str) -> None:
    assert store.kept({"key": value}) == {"key": store.LEFT_OUT}


async def test_a_sound_file_has_no_findings(database: Database) -> None:
    assert await store.quick_check(database) == []


async def test_the_newest_time_is_that_of_the_last_event_or_thread(tmp_path: Path) -> None:
    database = Database(tmp_path / "hearth.db", hearth.MIGRATIONS)
    try:
        assert await store.newest(database) is None
        await database.execute("insert into event(at, type, owner, door, data) values (50, 'x', 'person', 'cli', '{}')")
        await database.execute(
            "insert into thread(id, title, agent_id, owner, door, local_only, created_at, updated_at)"
            " values ('t', '', 'a', 'person', 'cli', 0, 10, 70)"
        )
        assert await store.newest(database) == 70
    finally:
        await database.close()
