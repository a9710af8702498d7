"""SQLite: which one it is, whether it keeps what it is given, whether the files are sound, and the clock they show."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from sqlite3 import Connection

from hearth_backend.observe import store
from hearth_backend.observe.store import Readable
from hearth_shared.errors import StorageFault
from hearth_shared.protocol.status import Check

_TOLERANCE_S = 120


async def driver(
    name: str,
    version: tuple[int, int, int],
    safe: tuple[int, int, int],
    connect: Callable[[Path], Connection],
    folder: Path,
) -> Check:
    """Write and read back a row, over two connections, in a database made for this in `folder`."""
    said = f"SQLite {_dotted(version)} by {name}"
    try:
        kept = await asyncio.to_thread(_round_trip, connect, folder)
    except Exception as error:  # whatever a driver raises is what this check is here to find
        detail = f"{said} cannot write: {getattr(error, 'detail', error)}"
        return Check(name="sqlite", state="fault", detail=detail, fix="See the checks `home` and `disk`.")
    if not kept:
        detail = f"{said} did not give back what it was given."
        return Check(name="sqlite", state="fault", detail=detail, fix="Install Hearth again; do not use this one.")
    if version < safe:
        detail = f"{said} writes and reads, but versions below {_dotted(safe)} can damage a database in rare cases."
        fix = "Install a Python with a newer SQLite, or use a platform with sqlcipher3 wheels; keep backups."
        return Check(name="sqlite", state="warn", detail=detail, fix=fix)
    return Check(name="sqlite", state="ok", detail=f"{said} writes and reads.")


async def integrity(name: str, database: Readable) -> Check:
    """Let SQLite go through the file."""
    try:
        found = await store.quick_check(database)
    except StorageFault as error:
        found = [error.detail]
    if found:
        fix = "Stop Hearth, copy its data folder away, then restore the newest copy from data/backups."
        return Check(name=f"integrity of {name}", state="fault", detail=f"{name} is damaged: {found[0]}.", fix=fix)
    return Check(name=f"integrity of {name}", state="ok", detail=f"{name} is sound.")


async def clock(database: Readable, now: Callable[[], float] = time.time) -> Check:
    """See that time has not gone back since the newest row was written."""
    newest, at = await store.newest(database), now()
    if newest is not None and newest - at > _TOLERANCE_S:
        hours = (newest - at) / 3600
        detail = f"The clock stands {hours:.1f} h before the newest thing Hearth stored."
        fix = "Set the system's clock; until then deadlines and expiry dates may be wrong. Nothing is lost."
        return Check(name="clock", state="fault", detail=detail, fix=fix)
    return Check(name="clock", state="ok", detail="The clock is not behind what was stored.")


def _round_trip(connect: Callable[[Path], Connection], folder: Path) -> bool:
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as place:
        path = Path(place) / "probe.db"
        rows: Sequence[str] = ("one", "zwei", "три")
        writer, reader = connect(path), connect(path)
        try:
            writer.execute("create table probe(text text) strict")
            writer.executemany("insert into probe values (?)", [(row,) for row in rows])
            return [row[0] for row in reader.execute("select text from probe order by rowid")] == list(rows)
        finally:
            writer.close()
            reader.close()


def _dotted(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))
