"""`hearth memory facts`, `graph`, `why`: what is known, since when, and how it hangs together."""

import shlex
from argparse import Namespace
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import Terminal, short
from hearth_backend.cli.texts import files
from hearth_shared import wire
from hearth_shared.errors import BadRequest


def facts(desk: Desk, options: Namespace) -> int:
    """What is true now, or was; or one fact ended or taken back."""
    if options.end or options.retract:
        return _corrected(desk, options)
    path = route(
        "memory",
        "facts",
        space=options.space,
        limit=options.limit,
        subject=options.about,
        query=" ".join(options.words) or None,
        at=_time(options.at),
        known_at=_time(options.known_at),
        history="true" if options.history else None,
    )
    found: wire.FactList = desk.backend().request("GET", path)
    if options.json:
        desk.terminal.json(found)
        return 0
    if not found["facts"]:
        desk.terminal.say("Nothing is known of it.")
    _lines(desk.terminal, found["facts"])
    if found["more"]:
        desk.terminal.say(("There is more: --limit N shows it.", "muted"))
    return 0


def add(desk: Desk, options: Namespace, value: str) -> int:
    """A fact in so many words: `memory add --fact lives_in Halle`."""
    body = {"space": options.space, "subject": options.about or "me", "predicate": options.fact, "value": value}
    stored: wire.StoredFact = desk.backend().request("POST", route("memory", "facts"), body)
    if options.json:
        desk.terminal.json(stored)
        return 0
    told = {
        "added": "Noted",
        "confirmed": "Known already",
        "updated": "Noted, in place of what was known",
        "backfilled": "Noted, as history",
    }
    desk.terminal.say(f"{told.get(stored['outcome'], 'Noted')}:")
    _lines(desk.terminal, [stored["fact"]])
    return 0


def why(desk: Desk, options: Namespace) -> int:
    """The memories that a fact rests on; of a memory, the facts."""
    found: wire.Why = desk.backend().request("GET", route("memory", "why", id=options.id))
    if options.json:
        desk.terminal.json(found)
        return 0
    if not found["facts"]:
        desk.terminal.say("No fact rests on it.")
    _lines(desk.terminal, found["facts"])
    for one in found["evidence"]:
        role = "says so" if one["role"] == "says" else "says that it ended"
        who = f"{one['speaker'] or one['source'] or 'you'}, {_day(one['occurred_at'])}"
        desk.terminal.say(
            ("because ", "muted"), (one["episode_id"] or "your click", "accent"), (f"  {who} {role}", "muted")
        )
        desk.terminal.fold(f"    “{short(one['quote'], 300)}”")
    return 0


def graph(desk: Desk, options: Namespace) -> int:
    """Who is near whom; the way between two; the middle; what fits a pattern; or facts out of files."""
    if options.file:
        return _filled(desk, options)
    if options.same_as:
        return _merged(desk, options)
    if options.where:
        return _pattern(desk, options)
    if options.to:
        return _path(desk, options)
    at = _time(options.at)
    if options.central:
        path = route("memory", "graph", "central", space=options.space, limit=options.limit, at=at)
    else:
        path = route("memory", "graph", space=options.space, name=options.name, depth=options.depth, at=at)
    found: wire.Graph = desk.backend().request("GET", path)
    if options.json:
        desk.terminal.json(found)
        return 0
    if not found["entities"]:
        desk.terminal.say("No fact speaks of anybody yet.")
    _entities(desk.terminal, found["entities"][: options.limit])
    _lines(desk.terminal, found["facts"][: options.limit])
    return 0


def _corrected(desk: Desk, options: Namespace) -> int:
    if options.end and options.retract:
        raise BadRequest("A fact either ended or was never true.", "Give --end or --retract.")
    id, what = (options.end, "end") if options.end else (options.retract, "retract")
    body = {"at": _time(options.at)} if options.end and options.at else {}
    fact: wire.Fact = desk.backend().request("POST", route("memory", "facts", id, what), body)
    if options.json:
        desk.terminal.json(fact)
        return 0
    desk.terminal.say("True no longer:" if options.end else "Taken back, as never true:")
    _lines(desk.terminal, [fact])
    return 0


def _path(desk: Desk, options: Namespace) -> int:
    start = _named(options)
    path = route("memory", "graph", "path", space=options.space, start=start, goal=options.to, at=_time(options.at))
    found: wire.PathFound = desk.backend().request("GET", path)
    if options.json:
        desk.terminal.json(found)
        return 0
    if not found["entities"]:
        desk.terminal.say(f"Nothing known leads from {start} to {options.to}.")
        return 0
    desk.terminal.say(" → ".join(one["name"] for one in found["entities"]))
    _lines(desk.terminal, found["facts"])
    return 0


def _pattern(desk: Desk, options: Namespace) -> int:
    body = {"space": options.space, "steps": [_edge(text) for text in options.where], "limit": min(options.limit, 200)}
    if (at := _time(options.at)) is not None:
        body["at"] = at
    found: wire.PatternMatches = desk.backend().request("POST", route("memory", "graph", "pattern"), body)
    if options.json:
        desk.terminal.json(found)
        return 0
    if not found["matches"]:
        desk.terminal.say("Nothing known fits.")
    for match in found["matches"]:
        desk.terminal.say(", ".join(f"{name} = {value}" for name, value in sorted(match.items())) or "It holds.")
    if found["cut"]:
        desk.terminal.say(("There is more: --limit N shows it.", "muted"))
    return 0


def _edge(text: str) -> dict[str, str]:
    """`?who works_at "Acme Ltd"` as one edge of a pattern."""
    try:
        subject, predicate, value = shlex.split(text)
    except ValueError as error:
        raise BadRequest(
            f"`{text}` is no edge of a pattern.",
            "Write whom, relation and what, such as '?who works_at \"Acme Ltd\"'; names that begin with ? are unknown.",
        ) from error
    edge = {"subject": subject, "value": value}
    return edge if predicate == "?" else edge | {"predicate": predicate}


def _merged(desk: Desk, options: Namespace) -> int:
    body = {"space": options.space, "keep": _named(options), "gone": options.same_as, "kind": options.kind}
    one: wire.Entity = desk.backend().request("POST", route("memory", "graph", "merge"), body)
    if options.json:
        desk.terminal.json(one)
    else:
        desk.terminal.say(f"{options.same_as} is {one['name']} from now on.")
    return 0


def _filled(desk: Desk, options: Namespace) -> int:
    (text,) = files([options.file])
    body = {"space": options.space, "name": Path(options.file).name, "text": text["text"]}
    filled: wire.Filled = desk.backend().request("POST", route("memory", "graph", "files"), body)
    if options.json:
        desk.terminal.json(filled)
        return 0
    desk.terminal.say(f"Entries kept: {filled['entries']}; new facts: {filled['facts']}.")
    for skipped in filled["skipped"]:
        desk.terminal.say((f"    left out: {skipped}", "muted"))
    return 0


def _named(options: Namespace) -> str:
    if options.name is None:
        raise BadRequest("It is not said from whom.", "Give a name first: `hearth memory graph Lena --to Hamburg`.")
    return options.name


def _lines(terminal: Terminal, facts: Iterable[wire.Fact]) -> None:
    for fact in facts:
        until = f" until {_day(fact['valid_to'])}" if fact["valid_to"] else ""
        gone = " · taken back" if fact["retracted_at"] else ""
        trust = "" if fact["trusted"] else " · not from you"
        about = f"  since {_day(fact['valid_from'])}{until}{gone}{trust}"
        terminal.say((fact["id"], "accent"), (about, "muted"))
        terminal.fold(f"    {short(fact['text'], 300)}.")


def _entities(terminal: Terminal, entities: Iterable[wire.Entity]) -> None:
    for one in entities:
        also = f", also {', '.join(one['aliases'])}" if one["aliases"] else ""
        weight = f"  {one['weight']:g}" if one["weight"] else ""
        group = f"  group {one['community']}" if one["community"] is not None else ""
        terminal.say((one["name"], "accent"), (f"  {one['kind']}{also}{weight}{group}", "muted"))


def _day(time: str) -> str:
    return datetime.fromisoformat(time).astimezone().date().isoformat()


def _time(text: str | None) -> str | None:
    """A day or a time as a person writes it; without a zone it is the local one."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except (ValueError, OverflowError, OSError) as error:
        raise BadRequest(f"{text} is no time.", "Write 2025-05-01, or 2025-05-01T14:30.") from error
