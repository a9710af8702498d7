"""`hearth keys`: keys of cloud models. A key never stands on the command line, where every program could read it."""

from argparse import Namespace
from getpass import getpass

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal
from hearth_shared import wire
from hearth_shared.errors import BadRequest


def put(desk: Desk, options: Namespace) -> int:
    """Kept by the backend, in the keyring."""
    key = _typed(desk.terminal, options.provider)
    if not key:
        raise BadRequest("No key was given.", "Nothing was changed.")
    state = desk.backend().request("PUT", route("keys", options.provider), {"key": key})
    desk.terminal.say(f"The key of {state['provider']} is kept in the {state['kept_in']}.")
    return 0


def show(desk: Desk, options: Namespace) -> int:
    """Whether, never what."""
    keys: list[wire.KeyState] = desk.backend().request("GET", route("keys"))["keys"]
    if options.json:
        desk.terminal.json({"keys": keys})
    elif keys:
        desk.terminal.table([(key["provider"], key["kept_in"] if key["present"] else "no key") for key in keys])
    else:
        desk.terminal.say("There are no keys. `hearth keys set openai` keeps one.")
    return 0


def test(desk: Desk, options: Namespace) -> int:
    """0 when the provider lets Hearth in."""
    found: wire.KeyTest = desk.backend().request("POST", route("keys", options.provider, "test"), {})
    if options.json:
        desk.terminal.json(found)
    elif found["ok"]:
        desk.terminal.fold((found["detail"], "ok"))
    else:
        desk.terminal.fold((found["detail"], "danger"), f" {found['fix']}")
    return 0 if found["ok"] else 1


def remove(desk: Desk, options: Namespace) -> int:
    """From the keyring."""
    state = desk.backend().request("DELETE", route("keys", options.provider))
    still = " The environment still has one." if state["present"] else ""
    desk.terminal.say(f"The key of {state['provider']} is removed.{still}")
    return 0


def _typed(terminal: Terminal, provider: str) -> str:
    if terminal.person_sits_here:
        return getpass(f"Key of {provider} (not shown): ").strip()
    return terminal.input.readline().strip()
