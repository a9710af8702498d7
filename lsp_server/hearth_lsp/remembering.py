"""Memory from inside an editor: what is known about a word, recall, keeping, forgetting."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hearth_lsp import texts
from hearth_lsp.backend import Backend
from hearth_lsp.cutting import clean
from hearth_lsp.document import Document, Place
from hearth_lsp.editing import Part
from hearth_lsp.recalling import plainly_about, query, word_at
from hearth_shared.errors import HearthError
from hearth_shared.wire import Forgotten, Hit, SearchResult, StoredEpisodes

_HOVER_HITS, _HOVER_S = 16, 8.0
_RECALLED, _LONGEST_QUERY = 8, 4000
_LONGEST_SOURCE, _LONGEST_NAME, _DIGEST = 2048, 200, 12


@dataclass(frozen=True, slots=True)
class Kept:
    """A memory's id, and whether it was not there before."""

    id: str
    is_new: bool


class Rememberer:
    """Asks memory. Nothing is kept here: what was forgotten is gone with the next question."""

    def __init__(self, backend: Backend, now: Callable[[], float] = time.time) -> None:
        self._backend = backend
        self._now = now

    async def about(self, document: Document, place: Place, *, markdown: bool) -> str:
        """What memory plainly says about the word at a place; empty when it says nothing, or does not answer soon."""
        line = document.line(place.line)
        word = word_at(line, place.column)
        asked = query(word)
        if not asked:
            return ""
        body = {"query": asked, "k": _HOVER_HITS}
        try:
            found: SearchResult = await self._backend.look("POST", "/v1/memory/search", body, limit=_HOVER_S)
        except HearthError:
            return ""
        about = plainly_about(word, line, found["results"])
        return texts.hover(about, self._now(), markdown=markdown) if about else ""

    async def recall(self, asked: str) -> dict[str, Any]:
        """The memories that fit a question best, for an editor's extension; `page` is for one without."""
        body = {"query": asked[:_LONGEST_QUERY], "k": _RECALLED}
        found: SearchResult = await self._backend.ask("POST", "/v1/memory/search", body)
        hits = sorted(found["results"], key=_is_question)  # what was told before what was only asked
        return {
            "query": asked,
            "memories": [_told(hit) for hit in hits],
            "notes": list(found["degraded"]),
            "page": texts.recall_page(asked, hits, found["degraded"], self._now()),
        }

    async def keep(self, part: Part, project: str) -> Kept:
        """A passage of a file, because the person said so. The same lines once more change nothing."""
        text = clean(part.text).strip("\n")
        lines = f"{part.span.start.line + 1}-{part.span.start.line + text.count(chr(10)) + 1}"
        digest = hashlib.sha256(f"{lines}\n{text}".encode()).hexdigest()[:_DIGEST]
        episode = {
            "external_id": f"{part.name[-_LONGEST_NAME:]}:{lines}:{digest}",
            "source": part.uri[:_LONGEST_SOURCE],
            "title": f"{part.name[-_LONGEST_NAME:]}:{lines}",
            "session": f"file:{part.name[-_LONGEST_NAME:]}",
            "occurred_at": datetime.fromtimestamp(self._now(), UTC).isoformat(),
            "text": text,
            "origin": "file",
            "project": project[:_LONGEST_NAME],
        }
        stored: StoredEpisodes = await self._backend.ask("POST", "/v1/memory/episodes", {"episodes": [episode]})
        return Kept(stored["ids"][0], stored["new"] == 1)

    async def forget(self, ids: list[str], *, try_only: bool) -> list[str]:
        """The beginnings of what goes, or would go."""
        body = {"ids": ids, "dry_run": try_only}
        gone: Forgotten = await self._backend.ask("POST", "/v1/memory/forget", body)
        return [texts.shortened(episode["text"], 120) for episode in gone["episodes"]]


def _is_question(hit: Hit) -> bool:
    return hit["text"].rstrip().endswith("?")


def _told(hit: Hit) -> dict[str, Any]:
    names = ("id", "text", "speaker", "source", "occurred_at", "score", "trusted")
    url = hit["source"] if texts.is_page(hit["source"]) else ""
    return {**{name: hit[name] for name in names}, "url": url}
