"""The nearest turns of a shelf: by all their vectors, or by what the index named. Pure: a shelf in, places out.

The index only names candidates. Their cosines are computed here from the vectors of SQLite, so a hit that is stale,
deleted or of another space has no effect but to be left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hearth_backend.memory.shelf import Shelf

AnsweredBy = Literal["index", "exact"]
Places = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """What the index named, nearest first: rows with the versions of the vectors it knows."""

    model: str
    rowids: NDArray[np.int64]
    versions: NDArray[np.uint64]

    @classmethod
    def of(cls, model: str, keys: Sequence[str]) -> "Named":
        """From the index's keys."""
        parts = [key.partition("-") for key in keys]
        rowids = np.array([int(rowid) for rowid, _, _ in parts], np.int64)
        return cls(model, rowids, np.array([int(version, 16) for _, _, version in parts], np.uint64))


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """Places on a shelf, nearest first, with their cosines, and which way they were found; exactly, then with `all`."""

    places: Places
    cosines: NDArray[np.float64]
    answered_by: AnsweredBy
    all: NDArray[np.float64] | None = None

    def cosines_of(self, shelf: Shelf, vector: NDArray[np.float32], chosen: Mask) -> NDArray[np.float64]:
        """Of the chosen turns; NaN for the others, and where there is no vector yet."""
        if self.all is not None:
            return np.where(chosen, self.all, np.nan)
        cosines = np.full(shelf.size, np.nan)
        there = np.flatnonzero(chosen & shelf.embedded)
        cosines[there] = shelf.cosines_at(vector, there)
        return cosines


def dense(
    shelf: Shelf,
    vector: NDArray[np.float32],
    k: int,
    allowed: Mask | None = None,
    named: Named | None = None,
    not_told: Sequence[int] = (),
) -> Nearest:
    """The `k` nearest embedded turns among those `allowed`; hold the shelf's lock.

    With what the index `named`, and the rows that it was `not_told` of yet, only those are looked at; all of them when
    fewer than `k` of the allowed ones are among them.
    """
    if named is not None:
        places = _candidates(shelf, named, not_told)
        if allowed is not None:
            places = places[allowed[places]]
        if len(places) >= min(k, _most(shelf, allowed)):
            return _best(shelf, places, shelf.cosines_at(vector, places), k, "index")
    cosines = shelf.cosines(vector)
    usable = ~np.isnan(cosines) if allowed is None else allowed & ~np.isnan(cosines)
    places = np.flatnonzero(usable)
    return replace(_best(shelf, places, cosines[places], k, "exact"), all=cosines)


def agreement(
    shelf: Shelf, vector: NDArray[np.float32], named: Named, not_told: Sequence[int] = (), k: int = 10
) -> float:
    """The share of a shelf's `k` nearest turns that the index named, or was not told of yet.

    What lies farther than the farthest turn named is not expected: turns of other spaces may have crowded it out.
    """
    places = _candidates(shelf, named, not_told)
    found = shelf.cosines_at(vector, _candidates(shelf, named, ()))
    exact = dense(shelf, vector, k)
    expected = exact.places[exact.cosines >= found.min(initial=1.0) - 1e-6]
    return float(np.isin(expected, places).mean()) if len(expected) else 1.0


def _candidates(shelf: Shelf, named: Named, not_told: Sequence[int]) -> Places:
    places = shelf.places(named.rowids.tolist())
    known = places >= 0
    places = places[known]
    places = places[shelf.versions(places) == named.versions[known]]
    fresh = shelf.places(list(not_told))
    places = np.unique(np.concatenate([places, fresh[fresh >= 0]]))
    return places[shelf.embedded[places]]


def _most(shelf: Shelf, allowed: Mask | None) -> int:
    """How many turns can be found at all."""
    embedded = shelf.embedded
    return int(np.count_nonzero(embedded if allowed is None else embedded & allowed))


def _best(shelf: Shelf, places: Places, cosines: NDArray[np.float64], k: int, answered_by: AnsweredBy) -> Nearest:
    """Equally near ones by row: where a turn stands on a shelf is a matter of what came and went before."""
    if len(places) > k:
        near = cosines >= np.partition(cosines, -k)[-k]
        places, cosines = places[near], cosines[near]
    order = np.lexsort((shelf.rowids[places], -cosines))[:k]
    return Nearest(places[order], cosines[order], answered_by)
