import os
from pathlib import Path

import pytest

from hearth_backend.storage import backups

pytestmark = pytest.mark.unit


def test_copies_are_counted_and_go_when_their_time_is_over(tmp_path: Path) -> None:
    database = tmp_path / "hearth.db"
    assert backups.copies(database) == backups.Copies(0, None)
    folder = tmp_path / "backups"
    folder.mkdir()
    for number, made in ((4, 1000.0), (5, 2000.0)):
        copy = folder / f"hearth-before-schema-{number}.db"
        copy.touch()
        os.utime(copy, (made, made))
    (folder / "telemetry-before-schema-2.db").touch()
    (folder / "mine.db").touch()
    assert backups.copies(database) == backups.Copies(2, 2000.0 + backups.SCHEMA_KEPT_S)
    assert backups.expire(database, 1500.0 + backups.SCHEMA_KEPT_S) == 1
    assert backups.copies(database) == backups.Copies(1, 2000.0 + backups.SCHEMA_KEPT_S)
    assert (folder / "mine.db").exists()


def test_backups_count_with_the_longest_of_their_times(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    (folder / "replaced" / "20260101-000000").mkdir(parents=True)
    os.utime(folder / "replaced" / "20260101-000000", (1000.0, 1000.0))
    (folder / "backup_20260101-000000-abc.json").touch()
    os.utime(folder / "backup_20260101-000000-abc.json", (3000.0, 3000.0))
    assert backups.copies(tmp_path / "hearth.db") == backups.Copies(2, 3000.0 + backups.KEPT_S)
    assert backups.expire(tmp_path / "hearth.db", 2000.0 + backups.KEPT_S) == 1
    assert not list(folder.glob("replaced/*"))
    assert backups.copies(tmp_path / "hearth.db").count == 1  # backups go by their own rules
