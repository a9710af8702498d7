"""What answers when no language model can: the passages that fit best, quoted, and how to connect a model. Pure."""

import re
import textwrap
from collections.abc import Sequence
from datetime import datetime

from hearth_backend.agent.ledger import Entry, shortened
from hearth_backend.memory.passages import reflow
from hearth_shared.errors import HearthError, NoModel
from hearth_shared.protocol.tasks import Source

MOST = 4
_QUOTE, _INDENT = 480, "    "
_MARKDOWN = re.compile(r"\.(?:md|markdown)(?::\d+)?$", re.IGNORECASE)
_FENCE = re.compile(r"^\s*(```|~~~)", re.MULTILINE)
_QUESTION = re.compile(r"[^.!?\n]+\?+")
_NOTHING = "I found nothing about this in your memory, your files or Hearth's documentation."
_REMEMBER = re.compile(
    r"^\s*(?:please\s+)?(?:remember|note|keep in mind|don't forget|do not forget)\b(?:\s+that\b|\s*:)?\s*(?P<fact>.+)$",
    re.IGNORECASE | re.DOTALL,
)


def fact_to_keep(question: str) -> str:
    """What the person asks to be remembered; empty when it is not that kind of sentence."""
    found = _REMEMBER.match(question)
    return "" if found is None or question.rstrip().endswith("?") else found["fact"].strip()


def kept(fact: str) -> str:
    """The answer to "remember that …": no model is needed to confirm it."""
    return f"I will remember: {fact}"


def best(sources: Sequence[Source], question: str) -> list[Source]:
    """The passages to quote: neither the question itself, which the person may have asked before, nor another one."""
    asked = _plain(question)
    return [source for source in sources if _plain(source.quote) != asked and not _only_asks(source)][:MOST]


def _only_asks(source: Source) -> bool:
    """Whether all that was said there is a question: it answers nothing."""
    return source.kind == "memory" and not source.url and _QUESTION.fullmatch(source.quote.strip()) is not None


def compose(entries: Sequence[Entry], reason: HearthError) -> str:
    """The answer from these passages, in the order given."""
    if not entries:
        return f"{_NOTHING}\n\n{_why(reason)}"
    if known := [entry for entry in entries if entry.source.fact]:
        return _known(known, reason)
    quotes = "\n\n".join(_quoted(entry) for entry in entries)
    return f"{_nobody(reason)} these are the passages that fit best.\n\n{quotes}\n\n{_why(reason)}"


def _known(entries: Sequence[Entry], reason: HearthError) -> str:
    """What is true now and answers the question by itself, then the memories it rests on."""
    told = "\n".join(f"{entry.source.fact}. [{entry.source.n}]" for entry in entries)
    quotes = "\n\n".join(dict.fromkeys(_quoted(entry) for entry in entries))
    return f"{told}\n\n{quotes}\n\n{_why(reason)}"


def summarised(entries: Sequence[Entry], reason: HearthError) -> str:
    """The answer to "summarise this"; each entry's text holds its chosen sentences, one on a line."""
    whose = f"of {entries[0].source.title}" if len(entries) == 1 else "of each text"
    opening = f"{_nobody(reason)} these are the sentences that carry most {whose}, in the order they stand."
    return "\n\n".join([opening, *(_listed(entry, alone=len(entries) == 1) for entry in entries), _why(reason)])


def _listed(entry: Entry, *, alone: bool) -> str:
    number, said = entry.source.n, entry.text.split("\n") if entry.text else []
    head = [] if alone else [f"{_from(entry.source)} [{number}]"]
    if not said:
        return "\n".join([*head, f"It holds no whole sentences. [{number}]"])
    return "\n".join([*head, *(f"- {sentence} [{number}]" for sentence in said)])


def _nobody(reason: HearthError) -> str:
    return "No language model is connected;" if isinstance(reason, NoModel) else "No language model answered;"


def _quoted(entry: Entry) -> str:
    source, text = entry.source, entry.text.strip()
    if source.kind == "docs" or _MARKDOWN.search(source.location):
        text = reflow(text)
    if source.kind != "docs":  # Hearth's own pages are cut into passages that are meant to be read whole
        text = shortened(text, _QUOTE)
    fences = _FENCE.findall(text)
    if len(fences) % 2:  # what follows is no code
        text += f"\n{fences[-1]}"
    return f"[{source.n}] {_from(source)}\n{textwrap.indent(text, _INDENT)}"


def _from(source: Source) -> str:
    """Where a passage comes from, in the person's words."""
    match source.kind:
        case "memory":
            when = f", {_day(source.occurred_at)}" if source.occurred_at else ""
            return f"{_page(source) if source.url else _who(source)}{when}"
        case "docs":
            return f"Hearth's documentation, {source.title}"
        case "page":
            return _page(source)
        case "file":
            return source.location or source.title


def _page(source: Source) -> str:
    return f"{source.title}, {source.url}" if source.url else source.title


def _who(source: Source) -> str:
    """Only what the person said is said to be theirs."""
    if source.speaker.lower() not in ("", "me", "person"):
        return source.speaker
    return "You" if source.trusted else f"{source.title} (not your words)"


def _day(seconds: float) -> str:
    day = datetime.fromtimestamp(seconds).astimezone()
    return f"{day.day} {day:%B %Y}"


def _why(reason: HearthError) -> str:
    if isinstance(reason, NoModel):
        return f"To connect a model: {reason.fix}"
    return str(reason)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
