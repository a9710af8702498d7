import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio

from hearth_backend.backups import snapshots
from hearth_backend.storage import restoring
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_backend.storage.migrations import hearth, telemetry
from hearth_backend.storage.restoring import Restoring
from hearth_backend.storage.snapshots import Contents, Snapshots
from hearth_shared.errors import HearthError, NewerDatabase, NotFound, StorageFault, StorageFull
from hearth_shared.paths import Home

pytestmark = pytest.mark.integration

NOW, DAY = 1_795_000_000.0, 86_400.0


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    home = Home(tmp_path / "home")
    home.make()
    home.config.write_text("[server]\nport = 0\n", "utf-8")
    home.profiles.mkdir()
    (home.profiles / "mine.toml").write_text('name = "mine"\n', "utf-8")
    notes = Database(home.telemetry, telemetry.MIGRATIONS, synchronous="NORMAL")
    opened = Database(home.database, hearth.MIGRATIONS)
    await notes.close()
    yield opened
    await opened.close()


@pytest.fixture
def home(database: Database) -> Home:
    return Home(database.path.parent.parent)


def told(text: str) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        connection.execute("insert into setting_note (text) values (?)", (text,))

    return work


async def write(database: Database, text: str) -> None:
    """Something that is easily looked for."""
    await database.write(lambda c: c.execute("create table if not exists setting_note (text text)") and None)
    await database.write(told(text))


async def texts(path: Path) -> list[str]:
    opened = Database(path, hearth.MIGRATIONS)
    try:
        return await opened.read(lambda c: [row[0] for row in c.execute("select text from setting_note order by 1")])
    finally:
        await opened.close()


async def test_a_backup_is_made_while_the_database_is_written_and_comes_back(database: Database, home: Home) -> None:
    await write(database, "before")
    one = snapshots(home).make(NOW, asked=True)
    await write(database, "after")
    assert snapshots(home).verify(one.id) == one
    assert {filed.name for filed in one.files} == {
        "data/hearth.db",
        "data/telemetry.db",
        "config.toml",
        "profiles/mine.toml",
    }
    Restoring(home).begin(snapshots(home), one.id, "now")
    await database.close()
    home.config.write_text("[server]\nport = 1\n", "utf-8")
    replaced = Restoring(home).finish()
    assert replaced is not None
    assert await texts(home.database) == ["before"]
    assert await texts(replaced / "data" / "hearth.db") == ["after", "before"]
    assert home.config.read_text("utf-8") == "[server]\nport = 0\n"
    assert Restoring(home).finish() is None


async def test_a_second_backup_stores_only_what_changed(database: Database, home: Home) -> None:
    place = snapshots(home)
    await write(database, os.urandom(600_000).hex())
    place.make(NOW, asked=False)
    first = place.stored_bytes()
    await write(database, "a little more")
    second = place.make(NOW + 1, asked=False)
    assert place.stored_bytes() - first < first / 2
    assert place.all()[0] == second


async def test_old_ones_go_with_what_only_they_held(database: Database, home: Home) -> None:
    place = snapshots(home)
    await write(database, os.urandom(200_000).hex())
    old = place.make(NOW - 100 * DAY, asked=True)
    await database.write(lambda c: c.execute("delete from setting_note") and None)
    await database.write(lambda c: c.execute("drop table setting_note") and None)
    new = place.make(NOW, asked=False)
    before = place.stored_bytes()
    assert place.rotate(NOW, 90 * DAY) == 1
    assert place.stored_bytes() < before
    assert place.verify(new.id) == new
    with pytest.raises(NotFound):
        place.verify(old.id)


async def test_it_comes_back_on_an_empty_machine(database: Database, home: Home, tmp_path: Path) -> None:
    await write(database, "moved")
    one = snapshots(home).make(NOW, asked=True)
    shutil.copytree(snapshots(home).folder, tmp_path / "disk")
    fresh = Home(tmp_path / "fresh")
    fresh.make()
    Restoring(fresh).begin(snapshots(fresh, tmp_path / "disk"), one.id, "now")
    Restoring(fresh).finish()
    assert await texts(fresh.database) == ["moved"]


@pytest.mark.parametrize("damage", ["block", "no block", "manifest", "swapped"])
async def test_a_damaged_backup_is_said_and_changes_nothing(damage: str, database: Database, home: Home) -> None:
    await write(database, "safe")
    place = snapshots(home)
    one = place.make(NOW, asked=True)
    block = place.folder / "blocks" / one.files[0].blocks[0][:2] / one.files[0].blocks[0]
    match damage:
        case "block":
            block.write_bytes(block.read_bytes()[:-5])
        case "no block":
            block.unlink()
        case "manifest":
            path = place.folder / f"{one.id}.json"
            path.write_bytes(path.read_bytes()[:-50])
        case _:
            path = place.folder / f"{one.id}.json"
            path.write_bytes(path.read_bytes().replace(b'"size":', b'"size":1', 1))
    with pytest.raises(StorageFault):
        place.verify(one.id)
    with pytest.raises(StorageFault):
        Restoring(home).begin(place, one.id, "now")
    assert Restoring(home).finish() is None
    await database.close()
    assert await texts(home.database) == ["safe"]


async def test_one_of_a_newer_hearth_is_refused(database: Database, home: Home) -> None:
    one = snapshots(home).make(NOW, asked=True)
    older = Contents.of(home, {home.database: hearth.MIGRATIONS[-1].number - 1, home.telemetry: 1})
    with pytest.raises(NewerDatabase, match="newer Hearth"):
        Snapshots(snapshots(home).folder, older, "0.0.1").verify(one.id)


@pytest.mark.parametrize("id", ["backup_none", "../../etc/passwd", ""])
def test_an_unknown_one_is_not_found(id: str, home: Home) -> None:
    with pytest.raises(NotFound):
        snapshots(home).verify(id)


def no_room(path: Path) -> SimpleNamespace:
    return SimpleNamespace(free=1000)


async def test_a_full_disk_is_said_and_leaves_nothing(
    database: Database, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = snapshots(home)
    one = place.make(NOW, asked=False)
    monkeypatch.setattr(shutil, "disk_usage", no_room)
    with pytest.raises(StorageFull):
        place.make(NOW + 1, asked=True)
    with pytest.raises(StorageFull):
        place.verify(one.id)
    monkeypatch.undo()
    assert place.all() == [one]
    assert not list(place.folder.glob(".making-*"))


async def test_a_restore_that_is_stopped_anywhere_is_finished_by_the_next_start(
    database: Database, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(database, "before")
    (home.data / "index").mkdir()
    one = snapshots(home).make(NOW, asked=True)
    await write(database, "after")
    Restoring(home).begin(snapshots(home), one.id, "now")
    await database.close()
    home.database.with_name("hearth.db-wal").write_bytes(b"a log that belongs to the other file")
    stopped = 0
    for moves in range(100):
        copied = Home(tmp_path / f"after-{moves}")
        shutil.copytree(home.root, copied.root)
        with contextlib.suppress(KilledError), monkeypatch.context() as patched:
            _stop_after(moves, patched)
            Restoring(copied).finish()
            break
        stopped += 1
        Restoring(copied).finish()
        assert await texts(copied.database) == ["before"]
        replaced = copied.data / "backups" / "replaced" / "now" / "data" / "hearth.db"
        assert await texts(replaced) == ["after", "before"]
        assert not (copied.data / "restoring").exists()
    assert stopped >= 8  # the log, two databases and their copies, two files of settings, the index


MAKING = """
import sys, time
from pathlib import Path
from hearth_backend.backups import snapshots
from hearth_shared.paths import Home
place = snapshots(Home(Path(sys.argv[1])))
while True:
    print(place.make(time.time(), asked=True).id, flush=True)
"""


async def test_what_a_power_cut_left_of_a_block_is_written_anew(database: Database, home: Home) -> None:
    await write(database, "safe")
    place = snapshots(home)
    first = place.make(NOW, asked=True)
    (place.folder / f"{first.id}.json").unlink()  # it was never acknowledged
    for block in place.folder.glob("blocks/??/*"):
        block.write_bytes(b"")
    second = snapshots(home).make(NOW + 1, asked=True)
    assert place.verify(second.id) == second


def killed_while_making(home: Home, acknowledged: int) -> set[str]:
    """What a program said it had made, which was killed after so many."""
    with subprocess.Popen([sys.executable, "-c", MAKING, home.root], stdout=subprocess.PIPE, text=True) as making:
        assert making.stdout is not None
        said = [making.stdout.readline() for _ in range(acknowledged)]
        making.kill()
        return {line.strip() for line in (*said, *making.stdout) if line.endswith("\n")}


async def test_whatever_was_acknowledged_is_whole_after_a_kill(database: Database, home: Home) -> None:
    await write(database, os.urandom(400_000).hex())
    acknowledged = set[str]()
    for number in range(3):
        acknowledged |= await asyncio.to_thread(killed_while_making, home, number)
        await write(database, os.urandom(100_000).hex())
    place = snapshots(home)
    assert acknowledged
    assert acknowledged <= {one.id for one in place.all()}
    for one in place.all():
        assert place.verify(one.id) == one
    place.make(NOW, asked=True)
    assert not list(place.folder.glob(".making-*"))


class KilledError(BaseException):
    """As if the power went."""


def _stop_after(moves: int, patched: pytest.MonkeyPatch) -> None:
    """Every move of a file counts down; the one after the last ends it all."""
    left = iter(range(moves))

    def counted(move: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
        def moved(self: Path, target: Path) -> Path:
            if next(left, None) is None:
                raise KilledError
            return move(self, target)

        return moved

    patched.setattr(restoring.Path, "rename", counted(Path.rename))
    patched.setattr(restoring.Path, "replace", counted(Path.replace))


def test_a_name_that_leads_out_of_the_home_is_refused(home: Home, tmp_path: Path) -> None:
    one = snapshots(home).make(NOW, asked=True)
    path = snapshots(home).folder / f"{one.id}.json"

    evil = replace(one, files=[replace(one.files[-1], name="../out.toml")])
    path.write_bytes(evil.encoded())
    with pytest.raises(HearthError, match="outside its home"):
        snapshots(home).unpack(one.id, tmp_path / "target")
    assert not (tmp_path / "out.toml").exists()
