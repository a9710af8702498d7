"""`hearth backup create`, `list`, `verify`, `restore`."""

from argparse import Namespace
from datetime import datetime
from pathlib import Path

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Part, Terminal, ago, size
from hearth_shared import wire
from hearth_shared.discovery import ensure_backend, stop_backend
from hearth_shared.errors import BadRequest, NotFound

_LONG_S = 3600.0


def create(desk: Desk, options: Namespace) -> int:
    """On disk when it says so."""
    desk.terminal.status("Copying…")
    made: wire.Backup = desk.backend().request("POST", route("backups"), {}, limit=_LONG_S)
    desk.terminal.clear_status()
    if options.json:
        desk.terminal.json(made)
    else:
        desk.terminal.say(f"{made['id']} holds {size(made['size_bytes'])} in {len(made['files'])} files.")
    return 0


def show(desk: Desk, options: Namespace) -> int:
    """Newest first."""
    found: wire.BackupList = desk.backend().request("GET", route("backups"))
    if options.json:
        desk.terminal.json(found)
        return 0
    if not found["backups"]:
        desk.terminal.say(
            "There is no backup yet. One is made an hour after something changed: `hearth backup create`."
        )
        return 0
    rows: list[tuple[Part, ...]] = [(("backup", "muted"), ("made", "muted"), ("holds", "muted"), ("goes", "muted"))]
    rows += [
        (
            one["id"],
            ago(one["made_at"]),
            size(one["size_bytes"]),
            datetime.fromtimestamp(one["until"]).date().isoformat(),
        )
        for one in found["backups"]
    ]
    desk.terminal.table(rows)
    desk.terminal.say((f"Together {size(found['stored_bytes'])} in {found['folder']}", "muted"))
    return 0


def verify(desk: Desk, options: Namespace) -> int:
    """One, or the newest."""
    backend = desk.backend()
    id = options.backup or _newest(backend.request("GET", route("backups")))
    desk.terminal.status("Reading all of it…")
    found: wire.Backup = backend.request("POST", route("backups", id, "verify"), {}, limit=_LONG_S)
    desk.terminal.clear_status()
    if options.json:
        desk.terminal.json(found)
    else:
        rows = sum(found["rows"].values())
        desk.terminal.say(f"{id} is whole: {size(found['size_bytes'])}, {rows:,} rows, every database sound.")
    return 0


def restore(desk: Desk, options: Namespace) -> int:
    """Laid ready first, then Hearth starts anew with it; what is there now is moved aside, not deleted."""
    backend, terminal = desk.backend(), desk.terminal
    folder = str(Path(options.folder).expanduser().absolute()) if options.folder else None
    known: wire.BackupList = backend.request("GET", route("backups", folder=folder))
    id = options.backup or _newest(known)
    if not options.yes and not _agreed(terminal, id, known):
        terminal.note("Nothing was changed.")
        return 1
    terminal.status("Reading and checking the backup…")
    one: wire.Backup = backend.request("POST", route("backups", id, "restore"), {"folder": folder or ""}, limit=_LONG_S)
    terminal.status("Hearth starts anew…")
    stop_backend(desk.home)
    ensure_backend(desk.home)
    terminal.clear_status()
    terminal.say(f"Everything is as {id} has it, of {_moment(one['made_at'])}.")
    terminal.say((f"What was there before lies in {desk.home.data / 'backups' / 'replaced'}, for 90 days.", "muted"))
    return 0


def _agreed(terminal: Terminal, id: str, known: wire.BackupList) -> bool:
    """Whether the person says so; a program has to say it beforehand."""
    if not terminal.person_sits_here:
        raise BadRequest("Restoring replaces what Hearth remembers now.", "Add --yes.")
    to_person = terminal.for_person()
    for one in known["backups"]:
        if one["id"] == id:
            to_person.say(f"Hearth will be as it was on {_moment(one['made_at'])}, {sum(one['rows'].values()):,} rows.")
    to_person.say("What came since then is moved aside; what was forgotten since then is remembered again.")
    to_person.say("Restore? Type ", ("yes", "strong"), " and Enter:")
    to_person.flush()
    return terminal.input.readline().strip().lower() == "yes"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at).isoformat(" ", "minutes")


def _newest(found: wire.BackupList) -> str:
    if not found["backups"]:
        raise NotFound("There is no backup yet.", "Make one: `hearth backup create`.")
    return found["backups"][0]["id"]
