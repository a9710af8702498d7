"""What memory's search is held against: BM25 of the turns, and the cosine of naively embedded ones."""

import sqlite3
from collections.abc import Sequence

import numpy as np

from bench.conversations import Collection
from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_backend.memory.text import said, terms

_AT_ONCE = 200


class Baselines:
    """One collection, by the two methods everybody starts with: "Speaker: text", and the question as it is asked."""

    def __init__(self, collection: Collection) -> None:
        self._ids = [episode.external_id for episode in collection.episodes]
        self._texts = [said(episode.speaker, episode.text) for episode in collection.episodes]
        self._words = sqlite3.connect(":memory:")
        self._words.execute("create virtual table turn using fts5(text, tokenize='porter unicode61')")
        self._words.executemany("insert into turn(rowid, text) values (?, ?)", enumerate(self._texts))
        self._vectors = np.zeros((0, 0), np.float32)
        self._asked: dict[str, np.ndarray] = {}

    async def embed(self, embedder: MiniLMEmbedder, questions: Sequence[str]) -> None:
        """The vectors of all turns and questions."""
        self._vectors = await _embedded(embedder, self._texts)
        self._asked = dict(zip(questions, await _embedded(embedder, questions), strict=True))

    def bm25(self, question: str) -> list[str]:
        """By words, stemmed, without stop words."""
        match = " OR ".join(f'"{term}"' for term in terms(question))
        rows = self._words.execute("select rowid from turn where turn match ? order by bm25(turn), rowid", (match,))
        return [self._ids[row] for (row,) in rows] if match else []

    def dense(self, question: str) -> list[str]:
        """By the cosine with the whole question."""
        order = np.argsort(-(self._vectors @ self._asked[question]), kind="stable")
        return [self._ids[place] for place in order]


async def _embedded(embedder: MiniLMEmbedder, texts: Sequence[str]) -> np.ndarray:
    parts = [await embedder.embed(texts[start : start + _AT_ONCE]) for start in range(0, len(texts), _AT_ONCE)]
    return np.concatenate(parts)
