"""Backups of a home: whole to look at, and on disk only what changed since the one before.

    <folder>/backup_….json    what one consists of, written last: before that there is no such backup
    <folder>/blocks/          the bytes, shared by all

Databases are copied by SQLite while they are in use. The index of memories is left out, for it is made anew from them;
so are models, keys, and what belongs to a running program.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hearth_backend import ids
from hearth_backend.storage import driver, manifest, rotation
from hearth_backend.storage.blocks import SIZE, Blocks
from hearth_backend.storage.disk import settle, write_whole, written
from hearth_backend.storage.manifest import Filed, Manifest
from hearth_backend.storage.rotation import Made
from hearth_shared.errors import HearthError, NewerDatabase, NotFound, StorageFault, StorageFull
from hearth_shared.paths import Home

_DRAFTS: Final = ".making-"
_ROOM: Final = 64 << 20
_SETTINGS: Final = ("config.toml", "policy.toml", "mcp.json")
_FOLDERS: Final = ("profiles", "triggers")


@dataclass(frozen=True, slots=True)
class Contents:
    """What of a home is copied: its databases with the newest schema known of each, and its files of settings."""

    home: Home
    schemas: Mapping[str, int]

    @classmethod
    def of(cls, home: Home, schemas: Mapping[Path, int]) -> "Contents":
        """`schemas` by the database's path."""
        return cls(home, {path.relative_to(home.root).as_posix(): schema for path, schema in schemas.items()})

    def databases(self) -> list[str]:
        """Those that exist, by their places below the home."""
        return [name for name in self.schemas if (self.home.root / name).exists()]

    def settings(self) -> list[str]:
        """The files a person may have written."""
        root = self.home.root
        found = [root / name for name in _SETTINGS] + [path for name in _FOLDERS for path in (root / name).rglob("*")]
        return sorted(path.relative_to(root).as_posix() for path in found if path.is_file() and not path.is_symlink())


class Snapshots:
    """The backups in one folder. What is here blocks: call it in a thread."""

    def __init__(self, folder: Path, contents: Contents, version: str) -> None:
        self.folder = folder
        self._contents = contents
        self._version = version
        self._blocks = Blocks(folder / "blocks")

    def make(self, now: float, *, asked: bool) -> Manifest:
        """A new one, on disk when it returns. Raises StorageFull, StorageFault; then nothing has changed."""
        self._clear()
        self._blocks.begin(_blocks_of(self.all()))
        with written(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _draft(self.folder) as draft:
            files = [self._database(name, draft) for name in self._contents.databases()]
        files += [self._filed(name, self._contents.home.root / name) for name in self._contents.settings()]
        self._blocks.flush()
        one = Manifest(_id(now), now, asked, self._version, files)
        write_whole(self.folder / f"{one.id}.json", one.encoded())
        return one

    def all(self) -> list[Manifest]:
        """Newest first. One whose list is damaged is left out: `verify` says so of its id."""
        found = list[Manifest]()
        for path in self.folder.glob("backup_*.json"):
            with contextlib.suppress(StorageFault, OSError):
                found.append(manifest.decoded(path.read_bytes()))
        return sorted(found, key=lambda one: one.made_at, reverse=True)

    def get(self, id: str) -> Manifest:
        """One. Raises NotFound, or StorageFault when its list is damaged."""
        if "/" not in id:
            with contextlib.suppress(OSError):
                return manifest.decoded((self.folder / f"{id}.json").read_bytes())
        raise NotFound(f"There is no backup {id}.", "`hearth backup list` shows them.", id=id)

    def verify(self, id: str) -> Manifest:
        """Read all of it, open its databases, check and count them. Raises the HearthError of what is wrong."""
        self.get(id)
        with _draft(self.folder) as draft:
            return self.unpack(id, draft)

    def unpack(self, id: str, target: Path) -> Manifest:
        """Its files below `target`, on disk and checked. Raises as `verify` does; then `target` is not to be used."""
        one = self.get(id)
        self._fits(one, target)
        for filed in one.files:
            self._unpack_file(filed, target / filed.name)
            if filed.schema is not None:
                _check(target / filed.name, filed)
        return one

    def rotate(self, now: float, keep_s: float) -> int:
        """Remove those whose time is over, and what only they held; how many went."""
        known = self.all()
        stay = rotation.kept([Made(one.id, one.made_at, one.asked) for one in known], now, keep_s)
        over = [one for one in known if one.id not in stay]
        for one in over:
            (self.folder / f"{one.id}.json").unlink(missing_ok=True)
        if over:
            self._blocks.sweep(_blocks_of(one for one in known if one.id in stay))
        return len(over)

    def stored_bytes(self) -> int:
        """What all of them take on disk."""
        return self._blocks.stored_bytes()

    def _database(self, name: str, draft: Path) -> Filed:
        path = draft / Path(name).name
        self._fits_in(self.folder, (self._contents.home.root / name).stat().st_size)
        driver.copy(self._contents.home.root / name, path)
        with contextlib.closing(driver.connect(path, read_only=True)) as copied, driver.errors(f"copy {name}"):
            schema, rows = copied.execute("pragma user_version").fetchone()[0], _rows(copied)
        _put_away(path)
        filed = self._filed(name, path)
        path.unlink()
        return Filed(filed.name, filed.size, filed.blocks, schema, rows)

    def _filed(self, name: str, path: Path) -> Filed:
        with written(path.parent), open(path, "rb") as file:
            blocks = [self._blocks.put(data) for data in iter(lambda: file.read(SIZE), b"")]
            return Filed(name, file.tell(), blocks)

    def _unpack_file(self, filed: Filed, path: Path) -> None:
        with written(path.parent):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            driver.create_private(path)
            with open(path, "wb") as file:
                for name in filed.blocks:
                    file.write(self._blocks.get(name))
            settle(path)
        if path.stat().st_size != filed.size:
            raise StorageFault(f"{filed.name} is not whole in this backup.", "Restore another backup.")

    def _fits(self, one: Manifest, target: Path) -> None:
        for filed in one.files:
            if _leads_out(filed.name):
                raise StorageFault("This backup names a file outside its home.", "Restore another backup.")
            known = self._contents.schemas.get(filed.name)
            if filed.schema is not None and (known is None or filed.schema > known):
                raise NewerDatabase(
                    f"This backup was made by a newer Hearth ({one.version}).", "Update Hearth, or restore another."
                )
        self._fits_in(target, sum(filed.size for filed in one.files))

    def _fits_in(self, folder: Path, size: int) -> None:
        if shutil.disk_usage(folder).free < size + _ROOM:
            raise StorageFull(
                f"The disk of {folder} has no room for a copy of {size >> 20} MB.", "Free some space, and try again."
            )

    def _clear(self) -> None:
        """What a killed attempt left behind."""
        for path in self.folder.glob(f"{_DRAFTS}*"):
            shutil.rmtree(path, ignore_errors=True)


def _id(now: float) -> str:
    return f"backup_{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}-{ids.new('b')[-6:]}"


def _rows(connection: driver.Connection) -> dict[str, int]:
    """Of every plain table; virtual ones have theirs beside them."""
    names: Sequence[str] = [
        row[0]
        for row in connection.execute(
            "select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\'"
            " and sql not like 'create virtual%' order by name"
        )
    ]
    return {name: connection.execute(f'select count(*) from "{name}"').fetchone()[0] for name in names}


def _check(path: Path, filed: Filed) -> None:
    with contextlib.closing(driver.connect(path, read_only=True)) as copied, driver.errors(f"check {filed.name}"):
        found = [row[0] for row in copied.execute("pragma integrity_check(1)")]
        if found != ["ok"] or copied.execute("pragma user_version").fetchone()[0] != filed.schema:
            raise StorageFault(f"{filed.name} is damaged in this backup: {found[0]}.", "Restore another backup.")
        if _rows(copied) != filed.rows:
            raise StorageFault(f"{filed.name} lacks rows in this backup.", "Restore another backup.")
    _put_away(path)


def _put_away(path: Path) -> None:
    """What SQLite lays beside a database to read it."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _leads_out(name: str) -> bool:
    path = Path(name)
    return path.is_absolute() or ".." in path.parts or not path.parts


def _blocks_of(kept: Iterable[Manifest]) -> Collection[str]:
    return {name for one in kept for filed in one.files for name in filed.blocks}


@contextlib.contextmanager
def _draft(folder: Path) -> Generator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix=_DRAFTS, dir=folder, ignore_cleanup_errors=True) as name:
            yield Path(name)
    except HearthError:
        raise
    except OSError as error:
        with written(folder):
            raise error
