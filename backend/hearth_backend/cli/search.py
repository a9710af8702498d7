"""`hearth memory search`: what is found, why, and what was said beside it."""

from argparse import Namespace
from collections.abc import Mapping

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.memory import line
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal, short
from hearth_backend.cli.times import moment
from hearth_shared import wire

_LISTS = {"source": "sources", "site": "sites", "door": "doors", "project": "projects"}


def search(desk: Desk, options: Namespace) -> int:
    """Best first, each with where it came from."""
    body = {"query": " ".join(options.query), "k": options.limit, "space": options.space, **_narrowed(options)}
    found: wire.SearchResult = desk.backend().request("POST", route("memory", "search"), body)
    if options.json:
        desk.terminal.json(found)
        return 0
    if not found["results"]:
        desk.terminal.say("Nothing like it is remembered.")
    for hit in found["results"]:
        _beside(desk.terminal, hit, -1)
        line(desk.terminal, hit)
        _beside(desk.terminal, hit, 1)
        for reason in hit.get("why", []) if options.why else ():
            desk.terminal.fold((f"    {reason}", "muted"), hanging=6)
    for missing in found["degraded"]:
        desk.terminal.say((missing, "muted"))
    return 0


def _narrowed(options: Namespace) -> Mapping[str, object]:
    """Only what was asked for."""
    lists = {field: value for name, field in _LISTS.items() if (value := getattr(options, name))}
    times = {name: moment(value) for name in ("after", "before") if (value := getattr(options, name)) is not None}
    words = {"words_only": True} if options.words else {}
    around = {"neighbours": options.around} if options.around else {}
    return {**lists, **times, **words, **around}


def _beside(terminal: Terminal, hit: wire.Hit, side: int) -> None:
    for turn in hit.get("neighbours", []):
        if turn["distance"] * side > 0:
            who = f"{turn['speaker']}: " if turn["speaker"] else ""
            terminal.fold((f"    {who}{short(turn['text'], 200)}", "muted"), hanging=6)
