"""`hearth pair`: lets a browser or an editor in."""

import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hearth_backend.cli import native_hosts
from hearth_backend.cli.desk import Desk
from hearth_backend.cli.native_hosts import Browser
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal
from hearth_shared import wire
from hearth_shared.client import BackendClient
from hearth_shared.errors import HearthError, HomeError
from hearth_shared.paths import Home

_WAITS_S: Final = 660.0
_LOADED: Final = {
    "chromium": "chrome://extensions → Developer mode → Load unpacked",
    "firefox": "about:debugging → This Firefox → Load Temporary Add-on → manifest.json",
}


def browser(desk: Desk, options: Namespace) -> int:
    """Makes the extension ready, lets it pair by itself where it can, and shows a code for where it cannot."""
    terminal = desk.terminal
    found = _prepare(desk.home, terminal)
    if options.native:
        return 0 if found else 1
    client = desk.backend()
    shown: wire.Pairing = client.request("POST", route("clients", "pairing"), {})
    try:
        _show(terminal, shown, found)
        return _wait(terminal, client)
    except KeyboardInterrupt:
        client.request("DELETE", route("clients", "pairing"), limit=5)
        terminal.note("\nThe code is good no more.")
        raise


def _prepare(home: Home, terminal: Terminal) -> list[Browser]:
    """The browsers that may pair by themselves from now on. What cannot be done is said, and the code still works."""
    try:
        user = Path.home()
    except RuntimeError:
        terminal.note("This user has no home folder, so no browser can be prepared.")
        return []
    found = native_hosts.here(native_hosts.browsers(user, os.environ))
    for kind in native_hosts.KINDS:
        if any(one.kind == kind for one in found):
            _tell_extension(home, terminal, kind)
    try:
        native_hosts.install(found, native_hosts.program(home, os.environ))
    except HomeError as error:
        terminal.note(str(error))
        return []
    if not found:
        terminal.say("No browser was found here: Chromium, Chrome, Brave, Edge, Vivaldi or Firefox.")
    for one in found:
        terminal.fold((one.name, "strong"), (f"  may pair by itself ({one.manifest})", "muted"))
    return found


def _tell_extension(home: Home, terminal: Terminal, kind: native_hosts.Kind) -> None:
    folder = home.root / "extension" / kind
    home.make()
    command = (sys.executable, "-I", "-m", "hearth_bridge.package", kind, str(folder))
    made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if made.returncode:
        terminal.note(made.stderr.strip() or "The extension could not be written.")
        return
    names = {"chromium": "Chromium, Chrome and their kin", "firefox": "Firefox"}[kind]
    terminal.fold((f"The extension for {names}: ", "muted"), str(folder))
    terminal.fold((f"  to load it: {_LOADED[kind]}", "muted"))


def _show(terminal: Terminal, shown: wire.Pairing, found: Sequence[Browser]) -> None:
    code = shown["code"]
    terminal.say("")
    if found:
        terminal.say("Open Hearth's panel in the browser and press Pair. Or type this code there:")
    else:
        terminal.say("Open Hearth's panel in the browser and type this code there:")
    terminal.say("\n    ", (f"{code[:3]} {code[3:]}", "strong"), "\n")
    terminal.say((f"It is good for 10 minutes (bridge on port {shown['port']}). Ctrl-C closes it.", "muted"))
    terminal.flush()


def _wait(terminal: Terminal, client: BackendClient) -> int:
    ended: wire.Pairing = client.request("GET", route("clients", "pairing", wait="true"), limit=_WAITS_S)
    if ended["state"] == "paired" and (paired := ended["client"]) is not None:
        terminal.say((f"{paired['name']} is paired.", "ok"))
        return 0
    why = {
        "expired": "Nobody typed the code in time.",
        "closed": "The pairing has ended: too many wrong codes, or it was closed.",
    }
    raise HearthError(why.get(ended["state"], "Another pairing took its place."), "Again: `hearth pair browser`.")
