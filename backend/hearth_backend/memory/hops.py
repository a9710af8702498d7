"""The second, guided round: what the first findings name leads to what they leave open.

"Where does Ana's sister work?" finds "My sister is Berta" first, and nothing about work. What speaks of Berta and of
work gains a share then. It runs only where words of the question stand in none of the first findings, and adds a
bonus to turns that hold both a name from those and a word that was left open: other ranks stay as they were. Somebody
whom facts know by several names is followed by each of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from hearth_backend.memory import entity_store, store
from hearth_backend.memory.asking import names_in
from hearth_backend.memory.evidence import Question, one_term
from hearth_backend.memory.ranking import Evidence, Mask, Shares, TermHits, best
from hearth_backend.memory.shelf import Shelf
from hearth_backend.memory.text import STOP, proper_nouns, words
from hearth_backend.memory.word_store import Stems
from hearth_backend.storage.driver import Connection

_LOOKED_AT: Final = 3
_MOST_BRIDGES: Final = 3
_NAMED_WITHIN: Final = 500  # characters of the question in which known names are looked for
_TOO_COMMON: Final = 0.05  # a name that stands in more of the turns leads nowhere
_MOST_OF_ONE_WORD: Final = 40  # turns; a word left open that is as common as that says little


def second_round(
    connection: Connection,
    space: str,
    question: Question,
    shelf: Shelf,
    stems: Stems,
    hits: Sequence[TermHits],
    evidence: Evidence,
    shares: Shares,
) -> tuple[Shares, dict[int, str]]:
    """The shares with those of the second round, and by place the name that led there."""
    if not question.recipe.hop:
        return shares, {}
    hop, led = np.zeros(shelf.size), dict[int, str]()
    for name, open_places in _ways(connection, space, question, shelf, hits, evidence, shares):
        spoken = one_term(connection, name, store.all_rows(connection), shelf, stems)
        if len(spoken.places) > _TOO_COMMON * shelf.size + 1:
            continue
        reached = [int(place) for place in spoken.places if open_places[place] and evidence.allowed[place]]
        hop[reached] = question.recipe.hop
        led.update({place: name.capitalize() for place in reached if place not in led})
    return replace(shares, hop=hop), led


def _ways(
    connection: Connection,
    space: str,
    question: Question,
    shelf: Shelf,
    hits: Sequence[TermHits],
    evidence: Evidence,
    shares: Shares,
) -> Iterator[tuple[str, Mask]]:
    """Names to follow, each with the turns to which it may lead."""
    everywhere = np.ones(shelf.size, np.bool_)
    for name in _other_names(connection, space, question.text):
        yield name, everywhere
    first = best(shares.total(), shelf.rowids, evidence.allowed & (shares.found() > 0), _LOOKED_AT)
    left_open = _left_open(hits, first.tolist(), shelf.size)
    if left_open is None:
        return
    rows = store.episodes(connection, space, [int(shelf.rowids[place]) for place in first])
    texts = [rows[rowid]["text"] for rowid in map(int, shelf.rowids[first]) if rowid in rows]
    for name in _bridges(texts, question.text, shelf.names.speakers):
        yield name, left_open


def _other_names(connection: Connection, space: str, question: str) -> list[str]:
    """Of those whom the question names and facts know: what else they are called, word by word."""
    asked = set(words(question))
    known = entity_store.named(connection, space, names_in(question[:_NAMED_WITHIN]))
    called = [name for row in known for name in (row["name"], *entity_store.aliases(connection, row["rowid"]))]
    found = [word for name in called for word in words(name) if word not in asked and word not in STOP]
    return list(dict.fromkeys(found))[:_MOST_BRIDGES]


def _left_open(hits: Sequence[TermHits], first: Sequence[int], size: int) -> Mask | None:
    """The turns that hold a word which none of the first does; None when no such word is left."""
    there = np.zeros(size, np.bool_)
    for hit in hits:
        if 0 < len(hit.places) <= _MOST_OF_ONE_WORD and not np.isin(hit.places, first).any():
            there[hit.places] = True
    return there if there.any() else None


def _bridges(texts: Sequence[str], question: str, speakers: Sequence[str]) -> list[str]:
    """Names that the first findings bring in: neither in the question nor a speaker's."""
    known = {*words(question), *(word for speaker in speakers for word in words(speaker))}
    named = [name for text in texts for name in proper_nouns(text)]
    return [name for name in dict.fromkeys(named) if name not in known][:_MOST_BRIDGES]
