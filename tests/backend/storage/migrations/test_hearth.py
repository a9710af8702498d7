from pathlib import Path

import pytest

from hearth_backend.storage import driver
from hearth_backend.storage.migrations import hearth, migrate

pytestmark = pytest.mark.integration


def test_the_migrations_are_numbered_in_order() -> None:
    assert [migration.number for migration in hearth.MIGRATIONS] == list(range(1, len(hearth.MIGRATIONS) + 1))


def test_every_table_is_strict(tmp_path: Path) -> None:
    connection = driver.connect(tmp_path / "a.db")
    migrate(connection, tmp_path / "a.db", hearth.MIGRATIONS)
    loose = [
        row["name"]
        for row in connection.execute("pragma table_list")
        if row["type"] == "table" and not row["strict"] and not row["name"].startswith(("sqlite_", "episode_fts"))
    ]
    assert not loose
    assert connection.execute("pragma foreign_key_check").fetchall() == []
    connection.close()
