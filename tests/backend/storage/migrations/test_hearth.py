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


def test_programs_and_memories_of_an_older_hearth_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = driver.connect(path)
    migrate(connection, path, hearth.MIGRATIONS[:2])
    connection.execute(
        "insert into client(id, name, kind, secret_sha256, scopes, spaces, created_at, expires_at)"
        " values ('c', 'x', 'third party', x'00', '[]', '[]', 1, 2)"
    )
    connection.execute(
        "insert into episode(id, space, source, external_id, session, speaker, occurred_at, recorded_at, text, window,"
        " sha256) values ('e', 'main', 'person', '1', '', 'me', 1, 1, 'herons', '', x'00')"
    )
    migrate(connection, path, hearth.MIGRATIONS)
    assert connection.execute("select origin from client").fetchone()["origin"] == ""
    found = connection.execute("select e.title from episode_fts join episode e on e.rowid = episode_fts.rowid"
                               " where episode_fts match 'heron'").fetchone()  # fmt: skip
    assert found["title"] == ""
    assert connection.execute("select count(*) from to_read").fetchone()[0] == 1  # it is read for facts too
    newest = hearth.MIGRATIONS[-1].number
    assert (tmp_path / "backups" / f"a-before-schema-{newest}.db").exists()
    connection.close()
