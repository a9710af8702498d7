"""Cutting a text into passages a person can read, by headings and paragraphs. Pure: text in, passages out."""

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass

from hearth_backend.memory.text import words

_LONGEST = 800  # characters, some 200 tokens: a passage fits the eye, and the embedding model
_QUOTED = 1200
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_FENCE = re.compile(r"\s*(```|~~~)")
_RULE = re.compile(r"\s*(?:[-*_=]\s*){3,}$")
_OWN_LINE = re.compile(rf"\s*(?:[-*+]\s|\d{{1,9}}[.)]\s|[|>]|#{{1,6}}\s)|{_RULE.pattern}")
_HARD_END = re.compile(r"(?: {2,}|\\)$")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a text: where it begins (lines count from 1) and the headings above it, outermost first."""

    line: int
    headings: tuple[str, ...]
    text: str

    @property
    def path(self) -> str:
        return " › ".join(self.headings)


def split(text: str) -> list[Passage]:
    """Passages of at most some 200 tokens, in order; headings are carried, not repeated in the text."""
    passages: list[Passage] = []
    for block in _blocks(text):
        last = passages[-1] if passages else None
        joins = last is not None and last.headings == block.headings and len(last.text) + len(block.text) <= _LONGEST
        if joins:
            assert last is not None
            passages[-1] = Passage(last.line, last.headings, f"{last.text}\n\n{block.text}")
        else:
            passages.extend(_cut(block))
    return passages


def excerpt(text: str, terms: Set[str]) -> str:
    """A text short enough to quote: itself, or the passage that holds most of the words looked for."""
    if len(text) <= _QUOTED:
        return text
    return max((passage.text for passage in split(text)), key=lambda part: len(terms & set(words(part))), default="")


def reflow(text: str) -> str:
    """Markdown with each paragraph and list item on one line, for a reader whose window breaks lines itself; code,
    tables and blank lines stay as they are."""
    lines: list[str] = []
    joins = fenced = False
    for line in text.splitlines():
        fence = _FENCE.match(line)
        fenced = fenced != bool(fence)
        if joins and not (fence or _OWN_LINE.match(line) or not line.strip()):
            lines[-1] = f"{lines[-1]} {line.strip()}"
        else:
            lines.append(line)
        joins = not fenced and not fence and _goes_on(line)
    return "\n".join(lines)


def _goes_on(line: str) -> bool:
    """Whether the next line of Markdown belongs to the same paragraph, unless it begins something itself."""
    ended = _HEADING.match(line) or _RULE.match(line) or _HARD_END.search(line)
    return bool(line.strip()) and not ended and line.lstrip()[0] != "|"


def slug(heading: str) -> str:
    """A heading's anchor, as Markdown renderers make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def _blocks(text: str) -> Iterator[Passage]:
    """Paragraphs; a fenced block of code is one, whatever it holds."""
    headings: tuple[str, ...] = ()
    lines: list[str] = []
    start, fenced = 1, False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        heading = None if fenced else _HEADING.match(line)
        if heading or (not fenced and not line.strip()):
            if lines:
                yield Passage(start, headings, "\n".join(lines).rstrip())
                lines = []
            if heading:
                headings = (*headings[: len(heading[1]) - 1], heading[2])
            continue
        if _FENCE.match(line):
            fenced = not fenced
        if not lines:
            start = number
        lines.append(line)
    if lines:  # a fence that was never closed
        yield Passage(start, headings, "\n".join(lines).rstrip())


def _cut(block: Passage) -> Iterator[Passage]:
    """A paragraph longer than a passage, cut at lines, else at sentences, else where it must be."""
    line, held = block.line, ""
    for number, piece in _pieces(block):
        if held and len(held) + len(piece) >= _LONGEST:
            yield Passage(line, block.headings, held.rstrip())
            held = ""
        if not held:
            line = number
        held += piece
    if held.strip():
        yield Passage(line, block.headings, held.rstrip())


def _pieces(block: Passage) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(block.text.splitlines(), block.line):
        if len(line) < _LONGEST:
            yield number, line + "\n"
            continue
        for sentence in _SENTENCE.split(line):
            for start in range(0, len(sentence), _LONGEST):
                yield number, sentence[start : start + _LONGEST] + " "
        yield number, "\n"
