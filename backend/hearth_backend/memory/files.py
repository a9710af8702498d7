"""The best passages of files and pages that were laid beside a question; nothing is stored."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hearth_backend.memory.passages import Passage, split
from hearth_backend.memory.ports import Vectors
from hearth_backend.memory.ranking import Scores, TermHits, best, bm25, by_max, coverage, idf
from hearth_backend.memory.recall import relevance
from hearth_backend.memory.store import Scratch
from hearth_backend.memory.text import terms
from hearth_shared.protocol.tasks import FileText, Source
from hearth_shared.sites import site_of

_EMBEDDED = 32  # a question must not wait for the vectors of a whole book
Embed = Callable[[list[str]], Awaitable[Vectors | None]]


@dataclass(frozen=True, slots=True)
class _Piece:
    file: FileText
    passage: Passage

    @property
    def searched(self) -> str:
        return f"{self.passage.path}\n{self.passage.text}" if self.passage.headings else self.passage.text


async def rank_passages(question: str, files: Sequence[FileText], k: int, embed: Embed) -> list[Source]:
    """At most `k` passages, best first, numbered from 1. Files were chosen by the person: some passage always comes."""
    pieces = [_Piece(file, passage) for file in files for passage in split(file.text)]
    if not pieces or k < 1:
        return []
    score, covered = await asyncio.to_thread(_by_words, question, [piece.searched for piece in pieces])
    places = np.arange(len(pieces), dtype=np.int64)
    first = [int(place) for place in best(score, places, np.ones(len(pieces), np.bool_), max(k, _EMBEDDED))]
    vectors = await embed([question, *(pieces[place].searched for place in first)])
    cosines: list[float | None] = [None] * len(first)
    if vectors is not None:
        cosines = [float(cosine) for cosine in vectors[1:] @ vectors[0]]
    worth = by_max(score)[first] + np.array([cosine or 0.0 for cosine in cosines])
    order: list[int] = np.argsort(-worth, kind="stable")[:k].tolist()
    return [
        _source(number, pieces[first[place]], relevance(float(covered[first[place]]), cosines[place]))
        for number, place in enumerate(order, 1)
    ]


def _by_words(question: str, texts: Sequence[str]) -> tuple[Scores, Scores]:
    """(BM25, coverage) of each text."""
    with Scratch(texts) as scratch:
        hits = [_hits(scratch.occurrences(term), len(texts)) for term in terms(question)]
    return bm25(hits, len(texts))[0], coverage(hits, len(texts))


def _hits(found: list[tuple[int, float]], size: int) -> TermHits:
    scores = np.array([score for _, score in found], np.float64) / idf(size, len(found))
    places = np.array([place for place, _ in found], np.intp)
    return TermHits(size, len(found), places, scores, scores)


def whole(file: FileText) -> Source:
    """A file or page as one source. What bears a page's address is a page, whatever it was called."""
    site = site_of(file.name)
    if file.origin == "file" and not site:
        return Source(n=0, kind="file", id=file.name, title=file.name, quote=file.text)
    return Source(
        n=0,
        kind="page",
        id=file.name,
        title=file.title or site or file.name,
        quote=file.text,
        location=file.name,
        url=file.name if site else "",
        trusted=False,
    )


def _source(number: int, piece: _Piece, score: float) -> Source:
    source, passage = whole(piece.file), piece.passage
    place = f"{source.id}:{passage.line}"
    title = f"{source.title} › {passage.path}" if passage.headings else source.title
    location = place if source.kind == "file" else source.location
    found = {"n": number, "id": place, "title": title, "quote": passage.text, "location": location}
    return source.model_copy(update={**found, "score": round(score, 4)})
