"""What a person reads: answers with their sources, memories, ages; as Markdown that can do nothing, or as plain text.

Quotes come from pages, files and other people: every sign that Markdown would act on in the middle of a line is
escaped, and nothing in them hides. Only a link that we make is a link.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from hearth_lsp.transcript import made_by
from hearth_shared.display import display
from hearth_shared.wire import Answer, Hit, Source

_SIGNS = re.compile(r"[\\`*\[\]<>~&$]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\.", re.IGNORECASE)
_URI = "/:%~-._"
_QUOTE = 400
_THE_PERSON = frozenset({"", "me", "person"})
_SLUG = re.compile(r"[^\w]+")


class Link(NamedTuple):
    """Where a source can be opened: a page, or a place in a file (line from 1)."""

    url: str = ""
    uri: str = ""
    line: int = 1


def plain(text: str) -> str:
    """One line that Markdown shows as it is."""
    return _SIGNS.sub(r"\\\g<0>", display(" ".join(text.split()), keep=""))


def shortened(text: str, longest: int = _QUOTE) -> str:
    """Cut at a word."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    return text[:longest].rsplit(maxsplit=1)[0] + " …"


def is_page(source: str) -> bool:
    """Whether a source is the address of a page."""
    return source.startswith(("http://", "https://")) and urlsplit(source).netloc != ""


def page_link(url: str) -> str:
    """A link to a page, named by its address."""
    target = quote(display(url, keep=""), safe="/:?#@!$&'*+,;=%~-._")
    return f"[{plain(_page_name(url))}]({target})"


def ago(then: float, now: float) -> str:
    """How long ago, in the person's words."""
    seconds = max(0.0, now - then)
    for unit, size in (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3600), ("min", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 and unit != 'min' else ''} ago"
    return "just now"


def hover(hits: Sequence[Hit], now: float, *, markdown: bool) -> str:
    """What is remembered about the word under the cursor."""
    told = [_remembered(hit, now, markdown=markdown) for hit in hits]
    head = "**Hearth remembers**" if markdown else "Hearth remembers"
    return "\n\n".join([head, *told])


def recall_page(query: str, hits: Sequence[Hit], degraded: Sequence[str], now: float) -> str:
    """Memories that fit a question."""
    told = [f"{number}. {_remembered(hit, now, markdown=True)}" for number, hit in enumerate(hits, 1)]
    body = told or ["Nothing in memory fits."]
    notes = [f"_{plain(note)}_" for note in degraded]
    return "\n\n".join([f"# What Hearth remembers about “{plain(query)}”", *body, *notes]) + "\n"


def answer_page(question: str, answer: Answer, links: Sequence[Link]) -> str:
    """An answer with its sources and where it was made."""
    parts = [f"# {plain(shortened(question, 120))}", display(answer["text"]).strip() or "_No answer came._"]
    if not answer["complete"]:
        parts.append("_The answer broke off here._")
    if answer["sources"]:
        parts.append("## Sources")
        parts.append("\n".join(_source(source, link) for source, link in zip(answer["sources"], links, strict=True)))
    parts += [f"_{plain(note)}_" for note in answer["notes"]]
    parts.append(f"_{plain(made_by(answer))}_")
    return "\n\n".join(parts) + "\n"


def told(source: Source, link: Link) -> dict[str, Any]:
    """A source for an editor's own extension."""
    kept = {name: source[name] for name in ("n", "kind", "title", "quote", "speaker", "occurred_at", "cited")}
    return {**kept, "title": _name(source), "url": link.url, "uri": link.uri, "line": link.line}


def file_name(title: str, when: datetime) -> str:
    """What an answer's file is called."""
    words = _SLUG.sub("-", title.lower()).strip("-")[:60].strip("-") or "answer"
    return f"{when:%Y-%m-%d-%H%M%S}-{words}.md"


def moment(iso: str) -> float:
    """Seconds of a time as the wire tells it."""
    return datetime.fromisoformat(iso).timestamp()


def _remembered(hit: Hit, now: float, *, markdown: bool) -> str:
    text = shortened(hit["text"])
    age = ago(moment(hit["occurred_at"]), now)
    if is_page(hit["source"]):
        where = f"from {page_link(hit['source'])}" if markdown else f"from {hit['source']}"
    else:
        who = "you" if hit["speaker"].lower() in _THE_PERSON else hit["speaker"]
        where = f"said by {plain(who) if markdown else who}"
    if markdown:
        return f"“{plain(text)}” — {where}, {age}"
    return display(f"“{text}” — {where}, {age}")


def _source(source: Source, link: Link) -> str:
    title = plain(shortened(_name(source), 80))
    if link.url:
        title = page_link(link.url)
    elif link.uri:
        title = f"[{title}]({quote(link.uri, safe=_URI)}#L{link.line})"
    return f"{source['n']}. {title} — {plain(shortened(source['quote'], 200))}"


def _name(source: Source) -> str:
    """What a source is called: memory by who said it."""
    if source["kind"] == "memory" and source["title"].lower() in _THE_PERSON:
        return "you"
    return source["title"] or source["kind"]


def _page_name(url: str) -> str:
    parts = urlsplit(url)
    return shortened(f"{parts.netloc}{parts.path}".rstrip("/"), 80)
