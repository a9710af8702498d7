"""Gathering the raw signals of a question from the word index and a shelf; runs in a reader thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from hearth_backend.memory import store, word_store
from hearth_backend.memory.dates import When, named_time
from hearth_backend.memory.dense import Named, dense
from hearth_backend.memory.ranking import Evidence, Mask, Scores, TermHits, best, bm25, saturated
from hearth_backend.memory.recipe import Recipe
from hearth_backend.memory.search_store import Wanted
from hearth_backend.memory.shelf import Shelf
from hearth_backend.memory.text import asks_when
from hearth_backend.memory.word_store import Stems
from hearth_backend.storage.driver import Connection

_CANDIDATES, _NEAREST = 400, 100  # by words, and by vectors: half of what the index names may be of other spaces
_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A question to one space, ready to be ranked. `windows`: whether words beside a turn are looked up too.

    With `narrow`, only likely turns are scored to the end: by words, and by vectors, as the index `named` them if it
    was asked.
    """

    text: str
    terms: list[str]
    vector: NDArray[np.float32] | None
    recipe: Recipe
    windows: bool
    wanted: Wanted
    now: datetime
    narrow: bool = False
    named: Named | None = None


def term_hits(connection: Connection, question: Question, shelf: Shelf, stems: Stems) -> list[TermHits]:
    """Where each word of the question occurs. Rows that are stored but not on the shelf yet are left out."""
    total = store.all_rows(connection)
    return [one_term(connection, term, total, shelf, stems, windows=question.windows) for term in question.terms]


def one_term(
    connection: Connection, term: str, total: int, shelf: Shelf, stems: Stems, *, windows: bool = False
) -> TermHits:
    """Where one word occurs; `total` counts the texts of all spaces. With `windows`, beside a turn too."""
    found = word_store.occurrences(connection, term, stems.of(term))
    rows, counts = np.unique(found, return_counts=True)
    places = shelf.places(rows)  # rows of other spaces are not on the shelf
    here = places >= 0
    places, times = places[here], counts[here].astype(np.float64)
    text = _told(times, shelf.lengths, places)
    if not windows:
        return TermHits(total, len(rows), places, text, np.zeros(len(places)))
    whole, beside = np.zeros(shelf.size), np.zeros(shelf.size)
    whole[places], beside[places] = text, times
    for near in shelf.beside():
        there = near[places] >= 0
        beside[near[places][there]] += times[there]
    everywhere = np.flatnonzero(beside)
    window = _told(beside[everywhere], shelf.window_lengths, everywhere)
    return TermHits(total, len(rows), everywhere, whole[everywhere], window)


def _told(times: Scores, lengths: NDArray[np.int32], places: NDArray[np.intp]) -> Scores:
    mean = float(lengths.mean()) if len(lengths) else 0.0
    return saturated(times, lengths[places].astype(np.float64), mean)


def gather(
    question: Question,
    shelf: Shelf,
    hits: list[TermHits],
    rows: Sequence[int] | None = None,
    not_told: Sequence[int] = (),
) -> Evidence:
    """All signals of all turns on the shelf; `rows` are those that may be found, None for all. `not_told` are rows
    that the index does not know yet."""
    allowed = _allowed(shelf, question.wanted, rows)
    text, window = bm25(hits, shelf.size)
    cosines = window_dense = None
    by_index = False
    if question.vector is not None and question.narrow:
        nearest = dense(shelf, question.vector, _NEAREST, allowed, question.named, not_told)
        by_index = nearest.answered_by == "index"
        allowed = allowed & _candidates(shelf, text, nearest.places, allowed)
        cosines = nearest.cosines_of(shelf, question.vector, allowed)
    elif question.vector is not None:
        cosines = shelf.cosines(question.vector)
    if question.vector is not None:
        window_dense = shelf.window_cosines(question.vector, allowed)
    named = shelf.names.named(question.text)
    when = named_time(question.text, question.now.date())
    return Evidence(
        allowed=allowed,
        order=shelf.order(),
        sessions=shelf.sessions(),
        bm25=text,
        bm25_window=window,
        dense=cosines,
        dense_window=window_dense,
        speaker=None if named is None else shelf.said_by(named),
        date=None if when is None else _dated(shelf, when, question),
        time=shelf.timed if asks_when(question.text) else None,
        question=shelf.questions,
        by_index=by_index,
    )


def _allowed(shelf: Shelf, wanted: Wanted, rows: Sequence[int] | None) -> Mask:
    allowed = np.full(shelf.size, rows is None)
    if rows is not None:
        places = shelf.places(rows)
        allowed[places[places >= 0]] = True
    if wanted.after is not None:
        allowed &= shelf.occurred >= wanted.after.timestamp()
    if wanted.before is not None:
        allowed &= shelf.occurred < wanted.before.timestamp()
    return allowed


def _candidates(shelf: Shelf, text: Scores, nearest: NDArray[np.intp], allowed: Mask) -> Mask:
    """The best by words and the best by vectors, each with its neighbours: all that can rank high in a large space."""
    chosen = np.zeros(shelf.size, np.bool_)
    chosen[best(text, shelf.rowids, allowed & (text > 0), _CANDIDATES)] = True
    chosen[nearest] = True
    order, sessions = shelf.order(), shelf.sessions()
    line, same = chosen[order], sessions[order][1:] == sessions[order][:-1]
    near = line.copy()
    near[1:] |= line[:-1] & same
    near[:-1] |= line[1:] & same
    chosen[order] = near
    return chosen


def _dated(shelf: Shelf, when: When, question: Question) -> Mask:
    offset = question.now.utcoffset()
    local = shelf.occurred + (offset.total_seconds() if offset else 0)
    days, place = np.unique((local // _DAY).astype(np.int64), return_inverse=True)
    return np.array([_holds(when, int(day), question.recipe.date_slack_days) for day in days], np.bool_)[place]


def _holds(when: When, day: int, slack_days: int) -> bool:
    ordinal = _EPOCH + day
    return 1 < ordinal < date.max.toordinal() and when.holds(date.fromordinal(ordinal), slack_days)
