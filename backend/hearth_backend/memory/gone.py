"""What is to be forgotten everywhere: which episodes, in which words, and how another text is cleaned of them. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from hearth_backend.memory.text import STOP, words

FORGOTTEN: Final = "[forgotten]"
_WORD: Final = re.compile(r"[^\W_]+")
_PLAIN: Final = re.compile(r"[^\x00-\x1f\"\\]+")
_MASK: Final = "█"
_GRAM: Final = 4
_NEEDLE: Final = range(8, 33)  # bytes: long enough to be nobody else's, short enough to lie within one page
_NEEDLES_OF: Final = 3


@dataclass(frozen=True)
class Gone:
    """Episodes that are gone from memory, and what of them may stand elsewhere.

    `turns` are the runs in which they were said, `threads` the threads of these; of `whole_threads` everything goes.
    `own` are words that no other episode holds. `sources` are addresses of pages.
    """

    ids: frozenset[str]
    texts: tuple[str, ...] = field(repr=False)
    turns: frozenset[str] = frozenset()
    threads: frozenset[str] = frozenset()
    whole_threads: frozenset[str] = frozenset()
    sources: frozenset[str] = field(default=frozenset(), repr=False)
    own: frozenset[str] = field(default=frozenset(), repr=False)

    def mask(self, text: str) -> str:
        """The text without these words: each sign of a quotation is replaced by one, so that places stay the same."""
        found = list(_WORD.finditer(text))
        lowered = [match.group().lower() for match in found]
        marked = [word in self.own for word in lowered]
        for size in self._grams:
            for start in range(len(lowered) - size + 1):
                if tuple(lowered[start : start + size]) in self._grams[size]:
                    marked[start : start + size] = [True] * size
        masked = _covered(text, found, marked)
        for whole in self._wordless:
            masked = masked.replace(whole, blank(whole))
        return masked

    @cached_property
    def _grams(self) -> dict[int, frozenset[tuple[str, ...]]]:
        grams: dict[int, set[tuple[str, ...]]] = {}
        for text in self.texts:
            said = words(text)
            size = min(_GRAM, len(said))
            if size > 1:
                grams.setdefault(size, set()).update(_runs(said, size))
        return {size: frozenset(runs) for size, runs in grams.items()}

    @cached_property
    def _wordless(self) -> tuple[str, ...]:
        """Texts of signs alone, such as emoji."""
        return tuple(text for text in self.texts if len(text.strip()) > 1 and not words(text))

    def needles(self) -> list[bytes]:
        """Pieces of the texts by which a file can be searched for them."""
        return [needle for text in self.texts for needle in _needles(text)]


def own_words(texts: Iterable[str], most: int) -> list[str]:
    """Words that may be nobody else's: all but the commonest, once each."""
    found = (word for text in texts for word in words(text) if len(word) > 2 and word not in STOP)
    kept: dict[str, None] = {}
    for word in found:
        kept[word] = None
        if len(kept) == most:
            break
    return list(kept)


def blank(text: str) -> str:
    """The text with every sign replaced, spaces and line ends apart."""
    return "".join(sign if sign.isspace() else _MASK for sign in text)


def _runs(said: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return (tuple(said[start : start + size]) for start in range(len(said) - size + 1))


def _covered(text: str, found: Sequence[re.Match[str]], marked: Sequence[bool]) -> str:
    """The text with the marked words and what lies between two of them blanked."""
    parts: list[str] = []
    done = 0
    for place, match in enumerate(found):
        if not marked[place]:
            continue
        start = done if place and marked[place - 1] else match.start()
        parts += (text[done:start], blank(text[start : match.end()]))
        done = match.end()
    return "".join((*parts, text[done:]))


def _needles(text: str) -> Iterator[bytes]:
    """Up to three, from its longest runs of signs that stand in a JSON text as they are."""
    runs = sorted((match.group().strip().encode() for match in _PLAIN.finditer(text)), key=len, reverse=True)
    for run in runs[:_NEEDLES_OF]:
        if len(run) < _NEEDLE.start:
            return
        middle = max(0, len(run) // 2 - _NEEDLE.stop // 2)
        yield run[middle : middle + _NEEDLE.stop - 1]
