import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hearth_backend.storage import driver
from hearth_shared.errors import StorageFault, StorageFull
from support.tools import need

pytestmark = pytest.mark.integration


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_database_and_the_files_beside_it_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        connection = driver.connect(tmp_path / "a.db")
        connection.execute("create table t(a)")
    finally:
        os.umask(before)
    assert {path.name: mode_of(path) for path in tmp_path.iterdir()} == {
        "a.db": 0o600,
        "a.db-wal": 0o600,
        "a.db-shm": 0o600,
    }
    connection.close()


def test_values_are_stored_as_what_they_are(tmp_path: Path) -> None:
    connection = driver.connect(tmp_path / "a.db")
    given = (None, True, False, b"\0bytes", 7, 0.5, "text")
    row = connection.execute("select ?, ?, ?, ?, ?, ?, ?", given).fetchone()
    assert tuple(row) == (None, 1, 0, b"\0bytes", 7, 0.5, "text")
    kinds = connection.execute("select typeof(?), typeof(?), typeof(?), typeof(?)", (None, True, b"", 1.0)).fetchone()
    assert tuple(kinds) == ("null", "integer", "blob", "real")
    connection.close()


def test_a_read_only_connection_changes_nothing(tmp_path: Path) -> None:
    writer = driver.connect(tmp_path / "a.db")
    writer.execute("create table t(a)")
    reader = driver.connect(tmp_path / "a.db", read_only=True)
    for sql in ("insert into t values (1)", "delete from t", "drop table t", "pragma user_version=7"):
        with pytest.raises(StorageFault), driver.errors("change it"):
            reader.execute(sql)
    assert writer.execute("select count(*) from t").fetchone()[0] == 0
    reader.close()
    writer.close()


def test_reading_does_not_make_a_database(tmp_path: Path) -> None:
    with pytest.raises(StorageFault):
        driver.connect(tmp_path / "a.db", read_only=True)
    assert not list(tmp_path.iterdir())


def test_rows_come_as_mappings(tmp_path: Path) -> None:
    connection = driver.connect(tmp_path / "a.db")
    assert connection.execute("select 1 as one").fetchone()["one"] == 1
    connection.close()


def test_a_file_that_is_no_database_is_a_storage_fault(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("certainly not" * 100)
    with pytest.raises(StorageFault, match=r"open a\.db"):
        driver.connect(tmp_path / "a.db")


def test_a_folder_that_is_not_there_is_a_storage_fault_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(StorageFault, match="nowhere"):
        driver.connect(tmp_path / "nowhere" / "a.db")


def test_a_database_that_another_program_holds_says_so(tmp_path: Path) -> None:
    one, other = driver.connect(tmp_path / "a.db"), driver.connect(tmp_path / "a.db")
    one.execute("begin immediate")
    other.execute("pragma busy_timeout=0")
    with pytest.raises(StorageFault, match="another program"), driver.errors("write"):
        other.execute("begin immediate")
    one.close()
    other.close()


def test_a_full_disk_has_an_error_of_its_own(tmp_path: Path) -> None:
    connection = driver.connect(tmp_path / "a.db")
    connection.execute("create table t(a)")
    connection.execute("pragma max_page_count=3")
    with pytest.raises(StorageFull), driver.errors("write"):
        connection.execute("insert into t values (zeroblob(100000))")
    connection.close()


def test_only_the_drivers_errors_are_translated() -> None:
    with pytest.raises(KeyError), driver.errors("write"):
        raise KeyError("mine")


def test_sqlite_is_one_without_the_wal_reset_corruption() -> None:
    need("sqlcipher3")
    assert driver.DRIVER == "sqlcipher3"
    assert driver.SQLITE_VERSION >= driver.SAFE_VERSION


def test_the_standard_librarys_driver_serves_where_there_is_no_other(tmp_path: Path) -> None:
    script = """
import sys
sys.modules["sqlcipher3"] = None
from pathlib import Path
from hearth_backend.storage import driver
connection = driver.connect(Path(sys.argv[1]))
connection.execute("create virtual table t using fts5(a)")
print(driver.DRIVER, connection.execute("pragma journal_mode").fetchone()[0])
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.db")],
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.returncode) == ("sqlite3 wal\n", 0), done.stderr
