"""From raw signals to a ranking: numbers in, numbers out.

The recipe is a normalised sum of scorers whose values are known: words smoothed over neighbouring turns, vectors of
the turn and of its window, and small bonuses for the speaker, the date, the session, and the shape of the text.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearth_backend.memory.recipe import RRF_K, Recipe

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]
_SMALLEST_IDF = 1e-6  # FTS5's own floor
_K, _B = 1.2, 0.75


@dataclass(frozen=True, slots=True, eq=False)
class TermHits:
    """Where one word of the question occurs, and how much that tells before the word's rarity is counted.

    `rows` and `having` count all spaces, for what is compared between them.
    """

    rows: int
    having: int
    places: NDArray[np.intp]
    text: Scores
    window: Scores


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The raw signals of one question, one value for each turn. `allowed` are the turns that may be found.

    `order` lists turns session by session, oldest first; `sessions` says which belong together. Cosines are NaN for
    a turn that is not embedded yet; None when no vectors take part.
    """

    allowed: Mask
    order: NDArray[np.intp]
    sessions: NDArray[np.int64]
    bm25: Scores
    bm25_window: Scores
    dense: Scores | None
    dense_window: Scores | None
    speaker: Mask | None
    date: Mask | None
    time: Mask | None
    question: Mask
    by_index: bool = False  # whether the index named what was looked at by vectors


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Each signal's weighted part of the score."""

    bm25: Scores
    bm25_window: Scores
    dense: Scores
    dense_window: Scores
    speaker: Scores
    date: Scores
    session: Scores
    time: Scores
    question: Scores
    hop: Scores

    def total(self) -> Scores:
        return self.found() + self.session + self.time + self.question + self.hop

    def found(self) -> Scores:
        """What makes a turn a hit at all; the rest only moves hits."""
        return self.bm25 + self.bm25_window + self.dense + self.dense_window + self.speaker + self.date


def idf(rows: int, having: int) -> float:
    """How much a word tells that `having` of `rows` texts hold; the formula of FTS5's bm25()."""
    return max(math.log((rows - having + 0.5) / (having + 0.5)), _SMALLEST_IDF)


def saturated(times: Scores, lengths: Scores, mean: float) -> Scores:
    """How much a word tells that stands so many times in texts of these lengths, as BM25 counts it; FTS5's constants.

    Repeating it tells ever less, and the more the longer the text is.
    """
    return times * (_K + 1) / (times + _K * (1 - _B + _B * lengths / max(mean, 1.0)))


def bm25(hits: Iterable[TermHits], size: int) -> tuple[Scores, Scores]:
    """BM25 of text and window, with this space's statistics alone: what is stored in another cannot be felt here."""
    text, window = np.zeros(size), np.zeros(size)
    for hit in hits:
        for total, scores in ((text, hit.text), (window, hit.window)):
            total[hit.places] += scores * idf(size, int(np.count_nonzero(scores)))
    return text, window


def coverage(hits: Sequence[TermHits], size: int) -> Scores:
    """The share of the question's words that stand in or beside each turn, rare words counting more."""
    covered, whole = np.zeros(size), 0.0
    for hit in hits:
        weight = math.log(1 + (hit.rows + 1) / (hit.having + 1))
        whole += weight
        covered[hit.places] += weight
    return covered / whole if whole else covered


def weigh(evidence: Evidence, recipe: Recipe) -> Shares:
    """The score of each turn, signal by signal."""
    e = evidence
    words = _by_max(_smooth(np.where(e.allowed, e.bm25, 0), e, recipe.smooth), e.allowed)
    window = recipe.bm25_window * _by_max(e.bm25_window, e.allowed)
    dense, borrowed = _dense(e.dense, e.allowed, recipe.dense, words)
    dense_window, borrowed_window = _dense(e.dense_window, e.allowed, recipe.dense_window, words)
    text = recipe.bm25 * words
    return Shares(
        bm25=text + borrowed + borrowed_window,
        bm25_window=window,
        dense=dense,
        dense_window=dense_window,
        speaker=_bonus(e.speaker, recipe.speaker, e.allowed),
        date=_bonus(e.date, recipe.date, e.allowed),
        session=recipe.session * _best_of_session(text + window, e),
        time=_bonus(e.time, recipe.time, e.allowed),
        question=_bonus(e.question, recipe.question, e.allowed),
        hop=np.zeros(len(e.allowed)),
    )


def best(scores: Scores, ties: NDArray[np.int64], wanted: Mask, count: int) -> NDArray[np.intp]:
    """Positions of the highest wanted scores, best first; equal ones by `ties`."""
    places = np.flatnonzero(wanted)
    if len(places) > 4 * count:  # sorting all of a large space would cost more than finding its best
        cut = np.partition(scores[places], -count)[-count]
        places = places[scores[places] >= cut]
    return places[np.lexsort((ties[places], -scores[places]))][:count]


def fused(lists: Iterable[Sequence[int]], weights: Sequence[float] = ()) -> dict[int, float]:
    """Reciprocal rank fusion, for lists whose scores cannot be compared."""
    total: dict[int, float] = {}
    for place, ranked in enumerate(lists):
        weight = weights[place] if weights else 1.0
        for rank, item in enumerate(ranked, 1):
            total[item] = total.get(item, 0.0) + weight / (RRF_K + rank)
    return total


def by_max(scores: Scores) -> Scores:
    """Scores brought to at most 1."""
    top = scores.max(initial=0.0)
    return scores / top if top > 0 else np.zeros_like(scores)


def _by_max(scores: Scores, allowed: Mask) -> Scores:
    return by_max(np.where(allowed, scores, 0.0))


def _smooth(scores: Scores, evidence: Evidence, shares: Sequence[float]) -> Scores:
    """Add to each turn a share of its neighbours' scores within the session."""
    if not scores.any():
        return scores
    plain, sessions = scores[evidence.order], evidence.sessions[evidence.order]
    spread = plain.copy()
    for distance, share in enumerate(shares, 1):
        same = sessions[distance:] == sessions[:-distance]
        spread[distance:] += share * np.where(same, plain[:-distance], 0)
        spread[:-distance] += share * np.where(same, plain[distance:], 0)
    out = np.empty_like(scores)
    out[evidence.order] = spread
    return out


def _dense(cosines: Scores | None, allowed: Mask, weight: float, words: Scores) -> tuple[Scores, Scores]:
    """(share by vectors, share borrowed from the words by turns without a vector: they must not sink below all)."""
    nothing = np.zeros(len(allowed))
    if cosines is None or weight == 0:
        return nothing, nothing
    known = allowed & ~np.isnan(cosines)
    if not known.any():
        return nothing, nothing
    low, high = cosines[known].min(), cosines[known].max()
    dense = np.where(known, weight * (cosines - low) / (high - low + 1e-9), 0.0)
    return dense, np.where(allowed & ~known, weight * words, 0.0)


def _best_of_session(scores: Scores, evidence: Evidence) -> Scores:
    """Each turn's session by the best turn in it."""
    top = np.zeros(int(evidence.sessions.max(initial=-1)) + 1)
    np.maximum.at(top, evidence.sessions, scores)
    return _by_max(top[evidence.sessions], evidence.allowed)


def _bonus(holds: Mask | None, weight: float, allowed: Mask) -> Scores:
    return np.zeros(len(allowed)) if holds is None else np.where(holds & allowed, weight, 0.0)
