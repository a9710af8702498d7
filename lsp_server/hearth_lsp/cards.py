"""An approval inside an editor: lenses over the file that it touches, and the whole card as a page. Pure.

What is shown came from models, pages and files: it stands in fences that it cannot end, or escaped, and nothing hides.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from hearth_lsp.texts import plain, shortened
from hearth_shared.display import display
from hearth_shared.wire import Approval

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")
_FENCE = re.compile(r"`{3,}")
_MOST_PLACES = 20
CHOICES = {"accept": "Accept, once", "respond": "Respond…", "ignore": "Ignore"}
DONE = {
    "accept": "Accepted, once.",
    "respond": "Refused; the task has your answer.",
    "ignore": "Refused; the task goes on without it.",
}
ELSEWHERE = "decide in the tray, or with `hearth approvals`"


class Lens(NamedTuple):
    """A line of the file, from 0, what stands above it, and which decision a press begins: none shows the card."""

    line: int
    title: str
    decision: str = ""


class Place(NamedTuple):
    """Where a change would be made: a line of the file as it is, from 0; lines that go and come; the first that comes,
    or goes."""

    line: int
    gone: int
    new: int
    first: str


def lenses(approval: Approval, *, may_decide: bool) -> list[Lens]:
    """The card's head above the first change, with the answers where they count; then every other place."""
    places = list(_places(approval["preview"]))
    gone, new = sum(place.gone for place in places), sum(place.new for place in places)
    size = f": +{new} −{gone}" if places else ""
    again = ", again: it was begun before Hearth stopped" if approval["kind"] == "unknown" else ""
    what = f"Hearth: {_word(approval['agent_id'])} asks for {_word(approval['tool'])}{size}{again}"
    top = places[0].line if places else 0
    found = [Lens(top, what if may_decide else f"{what} · {ELSEWHERE}")]
    if may_decide:
        found += [Lens(top, title if title.endswith("…") else f"{title}…", name) for name, title in CHOICES.items()]
    return [*found, *(Lens(place.line, f"Hearth: {_told(place)}") for place in places[:_MOST_PLACES])]


def page(approval: Approval) -> str:
    """All of the card, in Markdown."""
    run = f", task {plain(approval['run_id'])}" if approval["run_id"] else ""
    quotes = [
        f"> {plain(str(quote.get('source', '')))}{'' if quote.get('trusted') is True else ' (not your own words)'}: "
        f"{plain(str(quote.get('text', '')))}"
        for quote in approval["quotes"]
    ]
    parts = [
        f"# {plain(approval['agent_id'])} asks for {plain(approval['tool'])}",
        f"**Who asks**: {plain(approval['agent_id'])} through {plain(approval['door'])}{run}",
        "## What exactly",
        *(f"{plain(name)}:\n\n{_fenced(_text(value))}" for name, value in approval["args"].items()),
        *(["## What would change", _fenced(approval["preview"], "diff")] if approval["preview"] else []),
        *([f"**Why it asks**: {plain(approval['why'])}"] if approval["why"] else []),
        *(["**Because of**", "\n>\n".join(quotes)] if quotes else []),
        f"**Can reach**: {plain(', '.join(approval['reach']) or 'nothing beyond Hearth')}",
        f"**Undo**: {plain(approval['undo'] or 'cannot be undone')}",
        f"**Fingerprint**: {plain(approval['sha256'])}",
        f"**Status**: {plain(status(approval))}",
    ]
    return "\n\n".join(parts) + "\n"


def status(approval: Approval) -> str:
    """How it stands."""
    match approval["status"]:
        case "pending":
            return f"waits for you: {ELSEWHERE}, or here once you let editors decide (`hearth pair editor --decide`)"
        case "expired":
            return "nobody decided in time, so it was denied"
        case _:
            return f"{approval['decision']}, by {approval['decided_by']}"


def question(approval: Approval, decision: str) -> str:
    """What is asked once the card stands in sight."""
    where = f" on {', '.join(approval['paths'])}" if approval["paths"] else ""
    what = {"accept": "Do exactly this, once", "respond": "Do not do it, and say why", "ignore": "Do not do it"}
    about = display(shortened(f"{approval['tool']}{where}", 300), keep="")
    return f"{what[decision]}? {about}. Fingerprint {approval['sha256'][:16]}, as on the card."


def _places(preview: str) -> Iterator[Place]:
    """One for each hunk of a unified diff; none of what is no diff."""
    number = at = 0
    gone, new = list[str](), list[str]()
    for line in (*preview.split("\n"), "@@ -0 +0 @@"):
        if hunk := _HUNK.match(line):
            if gone or new:
                yield Place(at, len(gone), len(new), (new or gone)[0])
            number, gone, new = max(1, int(hunk[1])), [], []
        elif number and line.startswith(("-", "+")):
            at = at if gone or new else number - 1
            (gone if line[0] == "-" else new).append(line)
            number += line[0] == "-"
        elif number:
            number += 1


def _told(place: Place) -> str:
    """One place in a line."""
    words = shortened(place.first[1:], 60)
    sign = "+" if place.first.startswith("+") else "−"
    return f"−{place.gone} +{place.new}" + (f"  {sign} {display(words, keep='')}" if words else "")


def _word(text: str) -> str:
    return display(shortened(text, 60), keep="")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _fenced(text: str, language: str = "") -> str:
    """As it is, with nothing hidden, between fences that are longer than any inside."""
    longest = max((len(fence) for fence in _FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{display(text).rstrip()}\n{fence}"
