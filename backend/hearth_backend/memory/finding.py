"""What is found, as it is shown: hits with their reasons and neighbours, and passages to answer from."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from hearth_backend.memory import documents, files, search_store, store
from hearth_backend.memory.consent import LOCAL_ONLY
from hearth_backend.memory.passages import excerpt
from hearth_backend.memory.recall import Candidate, choose, relevance, tokens
from hearth_backend.memory.search import Found, Search
from hearth_backend.memory.search_store import Wanted
from hearth_backend.memory.text import terms
from hearth_backend.memory.why import reasons
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.protocol.memory import Hit, Neighbour, SearchRequest, SearchResult
from hearth_shared.protocol.tasks import FileText, Source
from hearth_shared.sites import site_of

_LONGEST_QUESTION = 4000
_RECALLED = 24
_HELP = 64


class Finding:
    """Ranks by `search`, and reads what was found from the database."""

    def __init__(self, database: Database, search: Search) -> None:
        self._database = database
        self._search = search

    async def hits(self, request: SearchRequest) -> SearchResult:
        """The best hits of one space, each with the reasons for its rank."""
        findings = await self._search.find(
            request.space, request.query, request.k, _wanted(request), words_only=request.words_only
        )
        rows = await self._rows(request.space, findings.found)
        found = [one for one in findings.found if one.rowid in rows]
        if request.token_budget is not None:
            found = _within(found, rows, request.token_budget)
        beside = await self._beside([rows[one.rowid] for one in found], request.neighbours)
        hits = [_hit(rows[one.rowid], one, beside.get(one.rowid, [])) for one in found]
        if request.token_budget is not None and hits:
            hits[0] = _cut(hits[0], request.token_budget)
        return SearchResult(results=hits, degraded=findings.degraded, answered_by=findings.answered_by)

    async def passages(self, question: str, spaces: Collection[str], *, token_budget: int) -> Sequence[Source]:
        """The best passages over all `spaces` and Hearth's own help, numbered from 1; none when nothing fits."""
        question = question.strip()[:_LONGEST_QUESTION]
        if not question:
            return []
        own = sorted(set(spaces) - {documents.SPACE})
        told = await asyncio.gather(*(self._candidates(space, question, _RECALLED) for space in own))
        help = await self._candidates(documents.SPACE, question, _HELP)
        return choose(question, told, help, token_budget)

    async def passages_of(self, question: str, given: Sequence[FileText], k: int) -> Sequence[Source]:
        """The best passages of files that lie beside a question, numbered from 1; nothing is stored."""
        return await files.rank_passages(question[:_LONGEST_QUESTION], given, k, self._search.embed)

    async def _candidates(self, space: str, question: str, k: int) -> Sequence[Candidate]:
        findings = await self._search.find(space, question, k, beside=True)
        rows = await self._rows(space, findings.found)
        looked_for = set(terms(question))
        as_source = _help_source if space == documents.SPACE else _memory_source
        return [
            Candidate(as_source(rows[found.rowid], looked_for), relevance(found.coverage, found.cosine))
            for found in findings.found
            if found.rowid in rows
        ]

    async def _rows(self, space: str, found: Sequence[Found]) -> dict[int, Row]:
        rowids = [one.rowid for one in found]
        return await self._database.read(lambda connection: store.episodes(connection, space, rowids))

    async def _beside(self, rows: Sequence[Row], most: int) -> dict[int, list[Neighbour]]:
        """What was said beside each hit; for display only, since scores know their neighbours already."""
        if not most:
            return {}

        def read(connection: Connection) -> dict[int, list[Neighbour]]:
            return {row["rowid"]: _neighbours(connection, row, most) for row in rows}

        return await self._database.read(read)


def _wanted(request: SearchRequest) -> Wanted:
    return Wanted(
        sources=request.sources,
        sites=request.sites,
        doors=request.doors,
        origins=request.origins,
        projects=request.projects,
        after=request.after,
        before=request.before,
    )


def _neighbours(connection: Connection, row: Row, most: int) -> list[Neighbour]:
    return [
        Neighbour(id=turn["id"], distance=distance, speaker=turn["speaker"], text=turn["text"])
        for distance, turn in search_store.beside(connection, row, most)
    ]


def _hit(row: Row, found: Found, neighbours: list[Neighbour]) -> Hit:
    kept: dict[str, Any] = store.episode(row).model_dump(exclude={"recorded_at"})
    why = reasons(found.signals, row["speaker"], found.bridge)
    return Hit(**kept, score=round(found.score, 6), signals=found.signals, why=why, neighbours=neighbours)


def _cost(row: Row) -> int:
    return tokens(f"{row['speaker']}: {row['text']}")


def _within(found: Sequence[Found], rows: dict[int, Row], budget: int) -> list[Found]:
    """Those that fit, in order; the best one alone when not even that one does."""
    kept: list[Found] = []
    left = budget
    for one in found:
        cost = _cost(rows[one.rowid])
        if cost <= left:
            kept.append(one)
            left -= cost
    return kept or list(found[:1])


def _cut(hit: Hit, budget: int) -> Hit:
    """The one hit that does not fit, as much of it as does."""
    if tokens(f"{hit.speaker}: {hit.text}") <= budget:
        return hit
    return hit.model_copy(update={"text": hit.text[: budget * 4]})


def _memory_source(row: Row, looked_for: set[str]) -> Source:
    site = site_of(row["source"])
    return Source(
        n=0,
        kind="memory",
        id=row["id"],
        title=row["title"] or row["speaker"] or site or row["source"],
        quote=excerpt(row["text"], looked_for),
        speaker=row["speaker"],
        occurred_at=row["occurred_at"],
        location=f"{row['space']}/{row['external_id']}",
        url=row["source"] if site else "",
        thread_id=row["thread_id"] or "",
        trusted=bool(row["trusted"]),
        local_only=row["sensitivity"] == LOCAL_ONLY,
    )


def _help_source(row: Row, looked_for: set[str]) -> Source:
    title, _, text = row["text"].partition("\n")
    place = row["external_id"].partition("~")[0]
    return Source(n=0, kind="docs", id=row["external_id"], title=title, quote=text, location=f"help/{place}")
