"""`hearth memory reindex`: the index over memories is thrown away and made anew."""

import time
from argparse import Namespace

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_shared import wire

_LOOK_S = 0.5
_UNDER_WAY = ("building", "examining")


def reindex(desk: Desk, options: Namespace) -> int:
    """Followed to its end, unless `--no-wait`."""
    backend, terminal = desk.backend(), desk.terminal
    state: wire.IndexState = backend.request("POST", route("memory", "reindex"), {})
    while state["state"] in _UNDER_WAY and not options.no_wait:
        if state["total"]:
            terminal.status(f"{state['done']} of {state['total']} memories…")
        time.sleep(_LOOK_S)
        state = backend.request("GET", route("memory", "index"))
    terminal.clear_status()
    if options.json:
        terminal.json(state)
    else:
        terminal.say(" ".join(part for part in (state["detail"], state["fix"]) if part))
    return 0 if state["state"] in ("ready", "resting", *_UNDER_WAY) else 1
