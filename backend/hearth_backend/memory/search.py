"""Finding episodes of one space: words from FTS5, vectors from the shelf, one ranking."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hearth_backend.engine.minilm_weights import FIX
from hearth_backend.memory import hops, search_store, store, vector_store
from hearth_backend.memory.dense import Named, agreement
from hearth_backend.memory.evidence import Question, gather, term_hits
from hearth_backend.memory.index import Index
from hearth_backend.memory.ports import Embedder
from hearth_backend.memory.ranking import Shares, best, coverage, weigh
from hearth_backend.memory.recipe import FULL, WORDS_ONLY
from hearth_backend.memory.search_store import Wanted
from hearth_backend.memory.shelf import Shelf, Shelves
from hearth_backend.memory.text import Names, terms
from hearth_backend.memory.word_store import Stems
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_shared.errors import HearthError, ModelUnavailable
from hearth_shared.protocol.memory import Signals

log = logging.getLogger(__name__)
NO_MODEL = f"no embedding model: words only. To search by meaning too: {FIX}"
LOADING = "the embedding model did not answer in time: words only, this once"
NOT_YET = "nothing here is embedded yet: words only until that is done"
AnsweredBy = Literal["index", "exact", "words only"]
_LONGEST_WAIT_S = 5.0
_HALVED_FROM = 40_000  # turns whose windows' vectors are kept at half precision: 31 MB instead of 61
_MOST_NOT_TOLD = 500  # rows that the index does not know yet, looked at beside what it names
_PARTS = tuple(field.name for field in fields(Shares))
_MOST_VARIABLES = 10_000  # in one statement; SQLite's own limit may be 32,766


@dataclass(frozen=True, slots=True)
class Found:
    """One episode's place in a ranking. `coverage` and `cosine` can be compared between spaces, the score cannot."""

    rowid: int
    score: float
    signals: Signals
    coverage: float
    cosine: float | None
    bridge: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """Best first, what was missing while looking, and which way the vectors were searched."""

    found: list[Found]
    degraded: list[str]
    answered_by: AnsweredBy


@dataclass(frozen=True, slots=True)
class _Opened:
    names: Names
    model: str
    size: int
    embedded: bool


class Search:
    """Ranks the episodes of a space. In spaces above `large` turns only the likely ones are scored to the end."""

    def __init__(
        self,
        database: Database,
        embedder: Embedder | None,
        index: Index | None = None,
        *,
        large: int,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._index = index
        self._proofs: set[asyncio.Task[None]] = set()
        self._large = large
        self._now = now
        self._can_embed = False
        self._stems = Stems()
        self.shelves = Shelves()

    async def find(
        self,
        space: str,
        query: str,
        k: int,
        wanted: Wanted | None = None,
        *,
        beside: bool = False,
        words_only: bool = False,
    ) -> Findings:
        """The best `k` of a space. With `beside`, coverage counts the words next to a turn too."""
        opened = await self._database.read(lambda connection: self._open(connection, space))
        vector, degraded = (None, []) if words_only else await self._vector(query, opened)
        answered_by: AnsweredBy = "words only" if words_only or degraded else "exact"
        if not opened.size:
            return Findings([], degraded, answered_by)
        recipe = WORDS_ONLY if vector is None else FULL
        windows = beside or recipe.bm25_window > 0
        narrow = opened.size >= self._large
        named = await self._index.ask(opened.size, vector) if self._index and vector is not None else None
        question = Question(
            query, terms(query), vector, recipe, windows, wanted or Wanted(), self._now(), narrow, named
        )
        found, by_index = await self._database.read(lambda connection: self._rank(connection, space, question, k))
        if vector is not None and opened.model != self._model:  # another model took over: its vectors are no match
            return await self.find(space, query, k, wanted, beside=beside, words_only=words_only)
        if by_index and vector is not None and named is not None:
            answered_by = "index"
            self._maybe_prove(space, vector, named)
        return Findings(found, degraded, answered_by)

    async def close(self) -> None:
        """Drop what is still being compared behind answers."""
        for proof in list(self._proofs):
            proof.cancel()
        await asyncio.gather(*self._proofs, return_exceptions=True)
        self._stems.close()

    async def embed(self, texts: list[str]) -> NDArray[np.float32] | None:
        """Vectors of texts that are not stored; None when no model can make them soon."""
        if self._embedder is None or not await self._available():
            return None
        try:
            async with asyncio.timeout(_LONGEST_WAIT_S):
                return await self._embedder.embed(texts)
        except (TimeoutError, ModelUnavailable) as error:
            log.info("going on by words only: %r", error)
            return None

    # -- the question's vector

    async def _available(self) -> bool:
        self._can_embed = self._can_embed or (self._embedder is not None and await self._embedder.available())
        return self._can_embed

    async def _vector(self, query: str, opened: _Opened) -> tuple[NDArray[np.float32] | None, list[str]]:
        """The vector, or what to say about its absence. A question never waits long for a model."""
        if self._embedder is None or not await self._available():
            return None, [NO_MODEL]
        if not opened.embedded:
            return None, [] if not opened.size else [NOT_YET]
        try:
            async with asyncio.timeout(_LONGEST_WAIT_S):
                return (await self._embedder.embed([opened.names.bare(query)]))[0], []
        except TimeoutError:
            return None, [LOADING]
        except ModelUnavailable as error:
            self._can_embed = False
            return None, [f"no embedding model: words only. {error}"]

    # -- in a reader thread

    def _open(self, connection: Connection, space: str) -> _Opened:
        shelf = self._shelf(connection, space)
        with shelf.lock:
            return _Opened(shelf.names, self._model, shelf.size, shelf.has_vectors)

    def _rank(self, connection: Connection, space: str, question: Question, k: int) -> tuple[list[Found], bool]:
        """The best, and whether the index named what was looked at."""
        shelf = self._shelf(connection, space)
        with shelf.lock:
            rows = search_store.wanted_rows(connection, space, question.wanted)
            not_told = vector_store.not_told(connection, self._model, _MOST_NOT_TOLD) if question.named else []
            hits = term_hits(connection, question, shelf, self._stems)
            evidence = gather(question, shelf, hits, rows, not_told)
            shares = weigh(evidence, question.recipe)
            shares, bridges = hops.second_round(connection, space, question, shelf, self._stems, hits, evidence, shares)
            total, covered, cosines = shares.total(), coverage(hits, shelf.size), evidence.dense
            chosen = best(total, shelf.rowids, evidence.allowed & (shares.found() > 0), k)
            found = [
                Found(
                    int(shelf.rowids[place]),
                    float(total[place]),
                    signals,
                    float(covered[place]),
                    None if cosines is None or np.isnan(cosines[place]) else float(cosines[place]),
                    bridges.get(int(place), ""),
                )
                for place, signals in zip(chosen, _signals(shares, chosen), strict=True)
            ]
            return found, evidence.by_index

    def _maybe_prove(self, space: str, vector: NDArray[np.float32], named: Named) -> None:
        """Some answers of the index are compared with exact search, behind the answer."""
        if self._index is not None and self._index.wants_proof():
            proof = asyncio.create_task(self._prove(self._index, space, vector, named))
            self._proofs.add(proof)
            proof.add_done_callback(self._proofs.discard)

    async def _prove(self, index: Index, space: str, vector: NDArray[np.float32], named: Named) -> None:
        def compare(connection: Connection) -> float:
            shelf = self._shelf(connection, space)
            with shelf.lock:
                return agreement(shelf, vector, named, vector_store.not_told(connection, named.model, _MOST_NOT_TOLD))

        with contextlib.suppress(HearthError):  # a comparison that cannot be made says nothing
            found = await self._database.read(compare)
            if named.model == self._model:
                index.prove(found)

    @property
    def _model(self) -> str:
        return self._embedder.id if self._embedder else ""

    def _shelf(self, connection: Connection, space: str) -> Shelf:
        """The space's shelf, as the database is now."""
        shelf = self.shelves.get(space, lambda: self._new_shelf(connection, space))
        with shelf.lock:
            if not shelf.filled:
                shelf.put(store.turns(connection, space, self._model))
                shelf.filled = True
                self.shelves.trim()
            changed = shelf.changed()
            for start in range(0, len(changed), _MOST_VARIABLES):
                part = changed[start : start + _MOST_VARIABLES]
                turns = list(store.turns(connection, space, self._model, part))
                shelf.drop(set(part) - {turn.rowid for turn in turns})
                shelf.put(turns)
            if not shelf.large and shelf.size > 2 * _HALVED_FROM:
                self.shelves.discard(space)  # outgrown: the next search fills it as a large one
        return shelf

    def _new_shelf(self, connection: Connection, space: str) -> Shelf:
        dim = self._embedder.dim if self._embedder else 0
        return Shelf(dim, large=store.size(connection, space) > _HALVED_FROM)


def _signals(shares: Shares, places: NDArray[np.intp]) -> list[Signals]:
    """Each one's part in the score, for the turns at these places."""
    parts = np.array([getattr(shares, name)[places] for name in _PARTS]).round(6).T.tolist()
    return [Signals(**dict(zip(_PARTS, row, strict=True))) for row in parts]
