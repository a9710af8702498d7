"""Which sentences of a turn state something: no question, command, guess, quotation or code. Pure."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_LONGEST: Final = 300  # facts are told briefly
_END: Final = re.compile(
    r"(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bProf)(?<!\bSt)(?<!\be\.g)(?<!\d)[.!?]+(?=\s|$)|[.!?]+$|\n+"
)
_FENCE: Final = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
_QUOTES: Final = re.compile(r"\"[^\"\n]*\"?|“[^”\n]*”?|„[^“”\n]*[“”]?|«[^»\n]*»?|(?<!\w)'.*'(?!\w)|^>.*$", re.MULTILINE)
_CODE: Final = re.compile(
    r"^\s*(?:def|class|import|from \w+ import|return|cd|git|sudo|make|pip|npm|\$|#!|[{}<>|]|[\w.]+\s*[=(]|File \")"
    r"|Traceback|&&|;\s*$|::|\berror:",
    re.MULTILINE,
)
_OPENING: Final = re.compile(
    r"^(?:(?:actually|btw|by the way|fyi|oh|well|no|yes|ok(?:ay)?|also|and|so|but|hey|hi|hello|sorry|correction|"
    r"just so you know|for the record|please|(?:please )?(?:remember|note|keep in mind|don't forget)(?: that)?|"
    r"übrigens|also|merk dir(?:,? dass)?)\b[\s,:–-]*)+",
    re.IGNORECASE,
)
_NOT_SAID: Final = re.compile(
    r"^(?:if|when|suppose|imagine|assume|assuming|pretend|unless|let'?s say|say|wenn|falls|what|where|who|whose|whom|"
    r"how|why|which|since when|should|could|can|would|will|do|does|did|is|are|am|was|were|has|have you|shall|may i|"
    r"kannst|könntest|was|wo|wer|wie|warum|translate|draft|write|rewrite|rename|summari[sz]e|explain|compose|"
    r"qu[ei]|où|comment|pourquoi|¿)\b",
    re.IGNORECASE,
)
_HEDGED: Final = re.compile(
    r"\b(?:i (?:think|guess|believe|suppose|wonder|wish|hope)|maybe|perhaps|probably|possibly|would|could|might|"
    r"i'd|we'd|vielleicht|wahrscheinlich|peut-être|quizás)\b",
    re.IGNORECASE,
)
_REPORTED: Final = re.compile(
    r"\b(?:says?|said|wrote|writes|told me|tells|asked|claims?|reads)\b\s*[:,\"“']|\b(?:the )?(?:log|forum|page|error|"
    r"article|docs?)\b.*\b(?:says?|wrote|reads)\b",
    re.IGNORECASE,
)


class Sentence(NamedTuple):
    """A statement, without what only opens it; `start` and `end` are its whole place in the turn."""

    text: str
    start: int
    end: int


def statements(text: str) -> Iterator[Sentence]:
    """The sentences of a turn in which its speaker says that something is so."""
    plain = _masked(text)
    if _CODE.search(plain):
        return
    start = 0
    for found in [*_END.finditer(plain), None]:
        end = len(plain) if found is None else found.start()
        asks = found is not None and "?" in found.group()
        piece = plain[start:end]
        if not asks and piece.strip() and (said := _said(piece)):
            lead = len(piece) - len(piece.lstrip())
            yield Sentence(said, start + lead, start + len(piece.rstrip()))
        if found is None:
            return
        start = found.end()


def _masked(text: str) -> str:
    """The turn with quotations and code blanked, every place kept."""
    for pattern in (_FENCE, _QUOTES):
        text = pattern.sub(lambda found: "".join(" " if sign != "\n" else sign for sign in found.group()), text)
    return text.replace("’", "'").replace("\0", " ")


def _said(piece: str) -> str:
    """The sentence itself; nothing when its speaker does not say that it is so."""
    said = _OPENING.sub("", piece.strip()).strip()
    if len(said) > _LONGEST:
        return ""
    if _NOT_SAID.match(said) or _HEDGED.search(said) or _REPORTED.search(piece) or piece.rstrip().endswith("?"):
        return ""
    return said
