"""`hearth memory`: what is kept, and how it is found and forgotten."""

import os
from argparse import Namespace
from datetime import UTC, datetime

from hearth_backend.cli import facts
from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal, ago, short
from hearth_backend.cli.texts import words
from hearth_shared import wire


def add(desk: Desk, options: Namespace) -> int:
    """Once more is a new memory: it was said once more. With --fact it is kept as a fact."""
    if options.fact:
        return facts.add(desk, options, words(desk.terminal, options.text))
    episode = {
        "external_id": f"cli-{os.urandom(8).hex()}",
        "occurred_at": datetime.now(UTC).isoformat(),
        "text": words(desk.terminal, options.text),
    }
    stored = desk.backend().request(
        "POST", route("memory", "episodes"), {"space": options.space, "episodes": [episode]}
    )
    if options.json:
        desk.terminal.json(stored)
    else:
        desk.terminal.say("Remembered, as ", (stored["ids"][0], "accent"), ".")
    return 0


def show(desk: Desk, options: Namespace) -> int:
    """Newest first."""
    path = route("memory", "episodes", space=options.space, limit=options.limit)
    found: wire.EpisodeList = desk.backend().request("GET", path)
    if options.json:
        desk.terminal.json(found)
        return 0
    if not found["episodes"]:
        desk.terminal.say("Nothing is remembered yet.")
    for episode in found["episodes"]:
        line(desk.terminal, episode)
    return 0


def line(terminal: Terminal, memory: wire.Hit | wire.Episode) -> None:
    """One memory: where it came from, and how it begins."""
    when = ago(datetime.fromisoformat(memory["occurred_at"]).timestamp())
    origin = " · ".join(part for part in (memory.get("title", ""), memory["source"], memory["speaker"], when) if part)
    trust = "" if memory["trusted"] else " · not from you"
    terminal.say((memory["id"], "accent"), (f"  {origin}{trust}", "muted"))
    terminal.fold(f"    {short(memory['text'], 400)}")
