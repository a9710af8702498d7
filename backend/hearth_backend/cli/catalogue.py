"""The model files Hearth knows, and whether they fit this machine."""

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Part, size
from hearth_shared import wire
from hearth_shared.client import BackendClient

_FITS: dict[str, Part] = {
    "gpu": ("on the GPU", "ok"),
    "partly": ("partly on the GPU", "ok"),
    "memory": ("in memory", "info"),
    "no": ("too large", "warn"),
}


def catalogue(desk: Desk, client: BackendClient, *, as_json: bool) -> int:
    """Smallest first; the one that suits this machine is marked."""
    found: wire.Catalogue = client.request("GET", route("model-files", "catalogue"), limit=120)
    if as_json:
        desk.terminal.json(found)
        return 0
    head = tuple((name, "muted") for name in ("", "name", "can", "size", "licence", "context", "fits here"))
    desk.terminal.table([head, *(_row(one, found["offered"]) for one in found["models"])])
    if found["offered"]:
        desk.terminal.say(
            (f"`hearth models pull {found['offered']}` fetches the one that suits this machine.", "muted")
        )
    return 0


def _row(one: wire.CatalogueEntry, offered: str) -> tuple[Part, ...]:
    mark: Part = ("●", "accent") if one["name"] == offered else " "
    fits: Part = ("is here", "muted") if one["here"] else _FITS[one["fits"]]
    roles = ", ".join(one["roles"])
    return mark, one["name"], roles, size(one["bytes"]), one["licence"], f"{one['context']:,}", fits
