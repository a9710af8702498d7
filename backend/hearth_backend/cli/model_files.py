"""`hearth models pull`, `info`, `plan` and `rm`: the files of the models folder."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.following import download_words, watch
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal, size
from hearth_shared import wire
from hearth_shared.errors import NotFound, from_problem

_TRIES_S = 180.0


def pull(desk: Desk, options: Namespace) -> int:
    """The backend fetches; this only watches, so closing it stops nothing."""
    client = desk.backend()
    if options.stop:
        return _stop(desk, options)
    begun: wire.Download = client.request("POST", route("model-files", "downloads"), {"source": options.source})
    try:
        end = watch(desk, client, begun, download_words, as_json=options.json)
    except KeyboardInterrupt:
        desk.terminal.note(
            f"It goes on without this terminal. `hearth models pull {options.source}` shows how far it is, and with "
            "--stop ends it."
        )
        raise
    if end["state"] == "failed":
        raise from_problem({**end, "status": 500})
    if not options.json:
        _say_end(desk.terminal, end)
    return 0 if end["state"] == "done" else 1


def _say_end(terminal: Terminal, end: Any) -> None:
    if end["state"] != "done":
        terminal.say(end["detail"])
        return
    licence = f", licence {end['licence']}" if end["licence"] else ""
    terminal.say((end["model"], "accent"), f" is here: {end['file']}, {size(end['total'])}{licence}.")
    terminal.say((f"  hearth models use chat {end['model']}", "muted"))


def _stop(desk: Desk, options: Namespace) -> int:
    client = desk.backend()
    found: list[wire.Download] = client.request("GET", route("model-files", "downloads"))["downloads"]
    known: list[wire.CatalogueEntry] = client.request("GET", route("model-files", "catalogue"), limit=_TRIES_S)[
        "models"
    ]
    sources = {options.source, *(one["source"] for one in known if one["name"] == options.source)}
    for one in found:
        if one["source"] in sources and one["state"] not in ("done", "cancelled"):
            over: wire.Download = client.request("DELETE", route("model-files", "downloads", one["id"]))
            desk.terminal.json(over) if options.json else desk.terminal.say(over["detail"])
            return 0
    raise NotFound(f"Nothing of {options.source} is being fetched.", "`hearth models list` shows what is.")


def info(desk: Desk, options: Namespace) -> int:
    """What it says of itself, and how it ran."""
    found: wire.ModelFileDetail = desk.backend().request(
        "GET", route("model-files", _name(options.model)), limit=_TRIES_S
    )
    if options.json:
        desk.terminal.json(found)
        return 0
    terminal, file = desk.terminal, found["file"]
    terminal.say((found["name"], "strong"), f"  {file['path']}, {size(file['bytes'])}")
    roles = ", ".join(found["roles"]) or "writes no text"
    template = "" if found["chat_template"] or "chat" not in found["roles"] else ", no chat template of its own"
    terminal.say(f"  {found['architecture']}, {found['layers']} layers, {roles}{template}")
    terminal.say(f"  reads {found['trained_context']:,} tokens; vocabulary {found['vocabulary']:,}")
    terminal.fold(f"  {_speed(found)}", hanging=2)
    _say_plan(terminal, found["plan"])
    return 0


def _speed(found: wire.ModelFileDetail) -> str:
    loaded = f"loaded in {found['load_s'] or 0:.1f} s" if found["loaded"] else "not loaded"
    pinned = ", pinned: it stays loaded" if found["pinned"] else ""
    if found["first_s"] is None or not found["words_per_s"]:
        return f"{loaded}{pinned}; how fast it is shows after its first answer"
    return (
        f"{loaded}{pinned}; on this machine its first word came after {found['first_s']:.2f} s "
        f"({found['first_read'] or 0:,} tokens read), then {found['words_per_s']:.1f} words a second "
        f"({found['tokens_per_s'] or 0:.1f} tokens)"
    )


def plan(desk: Desk, options: Namespace) -> int:
    """Nothing is loaded."""
    body = {"file": _name(options.file), "context": options.context, "gpu_layers": options.gpu_layers}
    found: wire.Plan = desk.backend().request("POST", route("model-files", "plan"), body, limit=_TRIES_S)
    if options.json:
        desk.terminal.json(found)
    else:
        _say_plan(desk.terminal, found)
    return 0


def _say_plan(terminal: Terminal, plan: wire.Plan) -> None:
    where = f"{plan['backend']}, {plan['device']}" if plan["device"] else plan["backend"]
    rows: list[tuple[str, str]] = [("build", where), ("layers on the GPU", f"{plan['gpu_layers']} of {plan['layers']}")]
    rows.append(("context", f"{plan['context']:,} tokens, cache {plan['kv_type']}"))
    if plan["gpu_layers"]:
        rows.append(("GPU memory", f"about {size(plan['gpu_bytes'])} of {size(plan['gpu_free'])} free"))
    rows.append(("memory", f"about {size(plan['memory_bytes'])} of {size(plan['memory_free'])} free"))
    terminal.table([((name, "muted"), value) for name, value in rows])
    for reason in plan["reasons"]:
        terminal.fold(reason)


def remove(desk: Desk, options: Namespace) -> int:
    """What went, and how much room that made."""
    found: wire.FileRemoved = desk.backend().request("DELETE", route("model-files", options.model))
    if options.json:
        desk.terminal.json(found)
    else:
        desk.terminal.say(f"{', '.join(found['files'])} removed: {size(found['bytes'])} are free again.")
    return 0


def _name(text: str) -> str:
    """A path of this terminal is one of the backend's only when it is whole."""
    path = Path(text).expanduser()
    return str(path.absolute()) if path.is_file() else text
