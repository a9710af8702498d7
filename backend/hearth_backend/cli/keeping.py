"""`hearth memory forget`, `restore`, `export`, `import`: what becomes of memories."""

import os
import sys
import tempfile
from argparse import Namespace
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.memory import line
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal, ago
from hearth_backend.cli.times import moment
from hearth_shared import wire
from hearth_shared.errors import BackendUnavailable, BadRequest

_PART = 150_000  # characters: with every one of them escaped it still fits into a request
_TAIL = 400
_IMPORT_S = 600.0
_SELECTORS = ("source", "site", "project", "space")


def forget(desk: Desk, options: Namespace) -> int:
    """Look first; a person at the terminal is asked before more than what they named goes."""
    body = _asked(options)
    if options.dry_run:
        return _say(desk, options, desk.backend().request("POST", route("memory", "forget"), body | {"dry_run": True}))
    if not options.ids and not options.yes:
        would: wire.Forgotten = desk.backend().request("POST", route("memory", "forget"), body | {"dry_run": True})
        if not _confirmed(desk.terminal, would):
            desk.terminal.note("Nothing was forgotten.")
            return 1
    gone: wire.Forgotten = desk.backend().request("POST", route("memory", "forget"), body | {"dry_run": False})
    return _say(desk, options, gone)


def restore(desk: Desk, options: Namespace) -> int:
    """The last that was forgotten, or by its id."""
    if options.list:
        return _restorable(desk, options)
    body = {"undo_id": options.undo_id} if options.undo_id else {}
    back: wire.Restored = desk.backend().request("POST", route("memory", "restore"), body)
    if options.json:
        desk.terminal.json(back)
    else:
        desk.terminal.say(f"Brought back: {_counted(len(back['ids']), back['facts'])}.")
    return 0


def export(desk: Desk, options: Namespace) -> int:
    """Into a file of this user's alone, there whole or not at all; `-` writes to standard output."""
    path = route("memory", "export", format=options.format, space=options.space)
    if options.file == "-":
        _copy(desk, path, sys.stdout.buffer)
        return 0
    target = Path(options.file)
    if target.exists() and not options.force:
        raise BadRequest(f"{target} is there already.", "Name another file, or add --force.")
    try:
        size = _written(desk, path, target)
    except OSError as error:
        raise BadRequest(f"{target} cannot be written: {error.strerror}.", "Name another file.") from error
    if options.json:
        desk.terminal.json({"file": str(target), "bytes": size})
    else:
        desk.terminal.say(f"Exported to {target} ({size:,} bytes), readable by you alone.")
    return 0


def take(desk: Desk, options: Namespace) -> int:
    """Part after part, as much as a request holds; the backend takes it whole, or says which line it cannot take."""
    try:
        with open(options.file, encoding="utf-8", newline="") as file:
            done = _sent(desk, file, dry_run=options.dry_run)
    except UnicodeDecodeError as error:
        raise BadRequest(f"{options.file} is no UTF-8 text. Nothing was imported.", "Export again.") from error
    except OSError as error:
        raise BadRequest(f"{options.file} cannot be read: {error.strerror}.", "Check its name.") from error
    if options.json:
        desk.terminal.json(done)
    elif done["dry_run"]:
        desk.terminal.say(f"It can be imported: {done['records']} records.")
    else:
        more = f", {done['summaries']} summaries, {done['blocks']} pinned blocks"
        desk.terminal.say(
            f"Imported: {_counted(done['new'], done['facts'])}{more}; {done['known']} were there already."
        )
    return 0


def _written(desk: Desk, path: str, target: Path) -> int:
    descriptor, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            size = _copy(desk, path, file)
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    return size


def _copy(desk: Desk, path: str, file: IO[bytes]) -> int:
    """The export, with its end looked at: a backend that stops half-way leaves one without."""
    size, tail = 0, b""
    for piece in desk.backend().pieces(path):
        file.write(piece)
        size, tail = size + len(piece), (tail + piece)[-_TAIL:]
    file.flush()
    if b'"kind":"end"' not in tail:
        raise BackendUnavailable("The export broke off.", "Try again; see how Hearth is with `hearth doctor`.")
    return size


def _sent(desk: Desk, file: IO[str], *, dry_run: bool) -> wire.Imported:
    backend, begun = desk.backend(), dict[str, str]()
    part = file.read(_PART)
    for following in iter(lambda: file.read(_PART), ""):
        body = {"text": part, "last": False, **begun}
        begun = {"import_id": backend.request("POST", route("memory", "import"), body)["import_id"]}
        part = following
    body = {"text": part, "last": True, "dry_run": dry_run, **begun}
    return backend.request("POST", route("memory", "import"), body, limit=_IMPORT_S)


def _restorable(desk: Desk, options: Namespace) -> int:
    found: wire.UndoList = desk.backend().request("GET", route("memory", "forgotten"))
    if options.json:
        desk.terminal.json(found)
        return 0
    if not found["forgotten"]:
        desk.terminal.say("There is nothing to bring back.")
    for undo in found["forgotten"]:
        about = f"  {_counted(undo['episodes'], 0)}, forgotten {ago(undo['at'])}, gone {ago(undo['until'])}"
        desk.terminal.say((undo["undo_id"], "accent"), (about, "muted"))
    return 0


def _asked(options: Namespace) -> dict[str, object]:
    named = {name: value for name in _SELECTORS if (value := getattr(options, name)) is not None}
    times = {name: moment(value) for name in ("after", "before") if (value := getattr(options, name)) is not None}
    thread = {} if options.thread is None else {"thread_id": options.thread}
    if not options.ids and not thread and not times and not named.keys() - {"space"}:
        raise BadRequest(
            "Nothing was named, so nothing was forgotten.",
            "Name ids, or --thread, --source, --site, --project, --after or --before.",
        )
    return {"ids": options.ids, **thread, **named, **times, "for_good": options.for_good}


def _confirmed(terminal: Terminal, would: wire.Forgotten) -> bool:
    """Whether the person says so; a program has to say it beforehand."""
    if not terminal.person_sits_here:
        raise BadRequest("This would be asked at a terminal first.", "Add --yes, or look with --dry-run.")
    to_person = terminal.for_person()
    _lines(to_person, would)
    to_person.say("Forget this? Type ", ("yes", "strong"), " and Enter:")
    to_person.flush()
    return terminal.input.readline().strip().lower() == "yes"


def _say(desk: Desk, options: Namespace, gone: wire.Forgotten) -> int:
    if options.json:
        desk.terminal.json(gone)
    else:
        _lines(desk.terminal, gone)
    return 0


def _lines(terminal: Terminal, gone: wire.Forgotten) -> None:
    count = gone["count"] or len(gone["episodes"])
    if not count and not gone["quotes"]:
        terminal.say("Nothing like it is remembered.")
        return
    terminal.say("Would be forgotten:" if gone["dry_run"] else "Forgotten:")
    for episode in gone["episodes"]:
        line(terminal, episode)
    if (more := count - len(gone["episodes"])) > 0:
        terminal.say((f"    and {more} more", "muted"))
    for told in _told(gone, count):
        terminal.fold((told, "muted"))


def _told(gone: wire.Forgotten, count: int) -> list[str]:
    told = [f"{_counted(count, gone['facts'])}."] if count > 1 or gone["facts"] else []
    if gone["quotes"]:
        told.append(f"Tasks that may quote it: {gone['quotes']}; their journal is cleaned of it.")
    if gone["undo_until"] is not None:
        told.append(f"`hearth memory restore` brings it back until it is erased, {ago(gone['undo_until'])}.")
    if gone["backups_until"] is not None:
        until = datetime.fromtimestamp(gone["backups_until"]).date().isoformat()
        told.append(f"Copies of the database made before may hold it ({gone['backups']}); the last goes on {until}.")
    return told


def _counted(episodes: int, facts: int) -> str:
    memories = f"{episodes} {'memory' if episodes == 1 else 'memories'}"
    return f"{memories}, {facts} {'fact' if facts == 1 else 'facts'}" if facts else memories
