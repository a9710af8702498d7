"""`hearth engine`: the builds of llama.cpp on this machine."""

from argparse import Namespace

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.following import build_words, watch
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Part, Terminal, size
from hearth_shared import wire
from hearth_shared.errors import from_problem

_TRIES_S = 600.0


def show(desk: Desk, options: Namespace) -> int:
    """Each is tried now, in a process of its own."""
    desk.terminal.status("Trying the builds…")
    found: wire.EngineBuilds = desk.backend().request("GET", route("model-files", "engine", "builds"), limit=_TRIES_S)
    if options.json:
        desk.terminal.json(found)
        return 0
    if not found["builds"]:
        desk.terminal.say("There is no engine here. `make run` in Hearth's checkout builds it.")
    for build in found["builds"]:
        _show(desk.terminal, build)
    if not any(build["backend"] == found["suits"] and build["usable"] for build in found["builds"]):
        desk.terminal.fold(f"{found['why']} `hearth engine install {found['suits']}` adds the build for it.")
    return 0


def _show(terminal: Terminal, build: wire.EngineBuildInfo) -> None:
    mark: Part = ("●", "accent") if build["chosen"] else " "
    terminal.say(mark, f" {build['backend']} {build['version']}  {size(build['bytes'])}, {build['origin']}")
    if build["detail"]:
        terminal.fold((f"    {build['detail']}", "warn"), hanging=4)
    for device in build["devices"]:
        memory = f", {size(device['free'])} of {size(device['total'])} free" if device["total"] else ""
        terminal.say((f"    {device['detail'] or device['name']} ({device['kind']}{memory})", "muted"))


def install(desk: Desk, options: Namespace) -> int:
    """The backend does it; this only watches."""
    client = desk.backend()
    path = route("model-files", "engine", "installations")
    begun: wire.Installation = client.request("POST", path, {"backend": options.backend})
    try:
        end = watch(desk, client, begun, build_words, as_json=options.json)
    except KeyboardInterrupt:
        desk.terminal.note("It goes on without this terminal; `hearth engine list` shows it when it is done.")
        raise
    if end["state"] == "failed":
        raise from_problem({**end, "status": 500})
    if not options.json:
        desk.terminal.say(end["detail"])
    return 0 if end["state"] == "done" else 1
