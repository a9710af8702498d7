"""The `hearth` command. Only `hearth up` becomes the backend; every other verb is a client of it."""

import gc
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from hearth_backend.cli.stdio import become_if_asked
from hearth_shared import discovery
from hearth_shared.errors import HearthError
from hearth_shared.paths import Home, find_home

if TYPE_CHECKING:
    from hearth_backend.cli.desk import Up
    from hearth_shared.discovery import Endpoint
    from hearth_shared.settings import Settings


def main() -> None:
    """Run one verb and exit with its status."""
    become_if_asked(sys.argv[1:])
    from hearth_backend.cli.main import main as run  # 50 ms that the editors' program must not pay

    sys.exit(run(sys.argv[1:], up=up))


def up(options: "Up") -> int:
    """Be the backend until it is no longer needed or told to stop. Raises what kept it from starting."""
    os.umask(0o077)
    home = find_home()
    try:
        with discovery.claim(home):
            _serve(home, options)
    except HearthError as error:
        discovery.report_failure(home, error)
        raise
    return 0


def _serve(home: Home, options: "Up") -> None:
    gc.disable()  # nearly nothing of what a start makes is thrown away again; `api.server.settle` switches it on
    # Before numpy is loaded: a search must not wake a thread on every core for 0.2 ms of work.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Imported here because they cost half a second of CPU, which the other verbs must not pay.
    from hearth_backend.storage.restoring import Restoring
    from hearth_shared import logs, settings

    Restoring(home).finish()  # one that somebody stopped in the middle
    chosen = settings.load(home.config)
    noted = logs.set_up(chosen.observe.log_level, home.logs)
    try:
        _run(home, chosen, options)
    finally:
        noted.close()


def _run(home: Home, chosen: "Settings", options: "Up") -> None:
    import uvloop

    from hearth_backend.api.server import serve
    from hearth_backend.services import open_services

    async def backend() -> None:
        async with open_services(home, chosen) as services:
            keep = options.keep or not options.headless
            ready = None if options.headless else partial(_greet, home)
            await serve(services, port=options.port, keep=keep, ready=ready)

    uvloop.run(backend())


def _greet(home: Home, endpoint: "Endpoint") -> None:
    from hearth_backend.cli import tray  # only now, for the same reason as everything else here

    lines = [
        "Hearth is running. It keeps everything on this machine.",
        f"  terminal   hearth ask, hearth chat   (socket {endpoint.socket})",
        f"  programs   http://127.0.0.1:{endpoint.port}/v1   (`hearth token create` makes a key)",
        "  editors    hearth pair editor",
        "  browsers   hearth pair browser",
        "Ctrl-C stops it.",
    ]
    if tray.beside(home, os.environ):
        lines.insert(-1, "  tray       its icon comes up now")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
