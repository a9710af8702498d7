"""A summary without a model: the sentences that carry most of a text, as they stand and in their order. Pure."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from hearth_backend.memory.text import STOP, words

_ASKED: Final = re.compile(
    r"^\s*(?:please\s+|can you\s+|could you\s+)*"
    r"(?:summari[sz]e|sum (?:it|this|that|these) up|sum up|tl;?dr|shorten this|"
    r"(?:give me|make|write)\s+(?:me\s+)?(?:a|the)\s+(?:short\s+|brief\s+)?(?:summary|gist|overview)|"
    r"what(?:'s|’s|\s+is)\s+(?:the\s+gist\s+of\s+)?(?:this|the)(?:\s+\w+)?\s+about|"
    r"(?:a\s+)?(?:short\s+)?summary)\b",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[^\W_a-z])")
_MOST, _LONGEST = 6, 320
_FEWEST_WORDS, _MOST_SENTENCES = 4, 4000


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, where it stands, and how much of the text it carries."""

    place: int
    text: str
    worth: float


def is_asked(question: str) -> bool:
    """Whether the person asks for a summary of what lies beside the question."""
    return _ASKED.match(question) is not None


def sentences(text: str) -> list[str]:
    """Sentences that say something: no headings, menus or lists of links."""
    found = (
        " ".join(part.split()) for line in text.splitlines() if line.strip() for part in _SENTENCE.split(line.strip())
    )
    said = [part for part in found if part.endswith((".", "!", "?", "…", "”", '"', ":", "。", "！", "？"))]
    return list(dict.fromkeys(part for part in said if _says(part)))[:_MOST_SENTENCES]


def chosen(text: str, most: int = _MOST) -> list[str]:
    """The sentences that carry most, in the order they stand; each further one is worth less the more it repeats."""
    found = sentences(text)
    counts = Counter(word for sentence in found for word in _terms(sentence))
    rated = [Sentence(place, sentence, _worth(sentence, place, counts)) for place, sentence in enumerate(found)]
    picked: list[Sentence] = []
    covered: set[str] = set()
    while rated and len(picked) < most:
        best = max(rated, key=lambda sentence: sentence.worth * _news(sentence.text, covered))
        picked.append(best)
        covered |= _terms(best.text)
        rated.remove(best)
    return [_cut(sentence.text) for sentence in sorted(picked, key=lambda sentence: sentence.place)]


def _says(sentence: str) -> bool:
    return len(words(sentence)) >= _FEWEST_WORDS or not sentence.isascii()


def _terms(sentence: str) -> set[str]:
    return {word for word in words(sentence) if word not in STOP and len(word) > 1}


def _worth(sentence: str, place: int, counts: "Counter[str]") -> float:
    """How common its words are in the text, on the whole; the first sentences say what it is about."""
    terms = _terms(sentence)
    if not terms:
        return 0.0
    carried = sum(counts[term] for term in terms) / (len(terms) + 3)
    return carried * (1.6 if place == 0 else 1.25 if place < 3 else 1.0)


def _news(sentence: str, covered: set[str]) -> float:
    terms = _terms(sentence)
    return 1.0 if not terms else 0.3 + 0.7 * len(terms - covered) / len(terms)


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= _LONGEST else sentence[:_LONGEST].rsplit(maxsplit=1)[0] + " …"
