from contextlib import closing
from pathlib import Path

import pytest

from hearth_backend.storage import driver, scrub

pytestmark = pytest.mark.integration


def test_a_deleted_text_leaves_the_log_and_then_the_pages(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(driver.connect(path)) as connection:
        connection.execute("create table t(a text)")
        connection.execute("insert into t values ('a rather secret text')")
        connection.execute("delete from t")
        log = path.with_name("x.db-wal")
        assert scrub.holds(log, [b"rather secret"])
        assert scrub.checkpoint(connection)
        assert log.stat().st_size == 0
        assert not scrub.holds(log, [b"rather secret"])
        assert scrub.holds(path, [b"rather secret"])
        scrub.rewrite(connection)
        assert scrub.checkpoint(connection)
        assert not scrub.holds(path, [b"rather secret"])


def test_a_reader_keeps_the_log(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(driver.connect(path)) as connection, closing(driver.connect(path, read_only=True)) as reader:
        connection.execute("pragma busy_timeout=0")
        connection.execute("create table t(a text)")
        reader.execute("begin")
        reader.execute("select * from t").fetchall()
        connection.execute("insert into t values ('x')")
        assert not scrub.checkpoint(connection)
        reader.execute("commit")
        assert scrub.checkpoint(connection)


def test_too_many_to_look_for_are_taken_for_granted(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"nothing")
    assert scrub.holds(tmp_path / "x", [b"%d" % n for n in range(100)])
    assert not scrub.holds(tmp_path / "x", [])
