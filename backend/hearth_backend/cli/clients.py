"""`hearth token` and `hearth clients`: programs that may knock at the HTTP door, and browsers that are paired."""

from argparse import Namespace
from typing import Any

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Part, ago
from hearth_shared import wire


def create(desk: Desk, options: Namespace) -> int:
    """The token goes to standard output alone, so that it can be piped; it is never shown again."""
    body: dict[str, Any] = {"name": options.name, "days": options.days}
    if options.scope:
        body["scopes"] = options.scope
    if options.space:
        body["spaces"] = options.space
    made = desk.backend().request("POST", route("clients"), body)
    if options.json:
        desk.terminal.json(made)
        return 0
    client: wire.Client = made["client"]
    desk.terminal.note(f"{client['name']} may: {', '.join(client['scopes'])}. Expires {ago(client['expires_at'])}.")
    desk.terminal.note("The token, shown this once:")
    desk.terminal.say(made["token"])
    return 0


def show(desk: Desk, options: Namespace) -> int:
    """Also those that have ended."""
    clients: list[wire.Client] = desk.backend().request("GET", route("clients"))["clients"]
    if options.json:
        desk.terminal.json({"clients": clients})
    elif not clients:
        desk.terminal.say("No program holds a token, and no browser is paired.")
        desk.terminal.say("`hearth token create NAME` makes one, `hearth pair browser` lets a browser in.")
    else:
        head = [(name, "muted") for name in ("id", "name", "kind", "may", "last seen", "expires")]
        desk.terminal.table([head, *map(_row, clients)])
    return 0


def revoke(desk: Desk, options: Namespace) -> int:
    """What the program has open ends at once."""
    client = desk.backend().request("DELETE", route("clients", options.client))
    desk.terminal.say(f"{client['name']} may no longer come in.")
    return 0


def _row(client: wire.Client) -> list[Part]:
    expires: Part = ago(client["expires_at"])
    if client["revoked_at"] is not None:
        expires = (f"revoked {ago(client['revoked_at'])}", "muted")
    may = ", ".join(client["scopes"])
    return [client["id"], client["name"], client["kind"], may, ago(client["last_seen_at"]), expires]
