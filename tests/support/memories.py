"""A memory of a few sentences that finds them by their words."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from hearth_shared.errors import HearthError, NotFound
from hearth_shared.protocol.memory import EpisodeBatch, SearchRequest, SearchResult, StoredEpisodes
from hearth_shared.protocol.tasks import FileText, Source

_SMALL = frozenset(
    re.findall(r"\w+", "a an and are do does for how i in is it me my of on or that the to what who you")
)


def memory(text: str, id: str = "ep_1", **more: object) -> Source:
    """A source as memory gives it."""
    plain: dict[str, object] = {
        "n": 1,
        "kind": "memory",
        "id": id,
        "title": "Told by you",
        "quote": text,
        "speaker": "me",
    }
    return Source.model_validate(plain | more)


@dataclass
class SmallMemory:
    """Finds sources that share a word of some weight with the question."""

    sources: list[Source] = field(default_factory=list[Source])
    failure: HearthError | None = None
    asked: list[str] = field(default_factory=list[str])
    stored: list[EpisodeBatch] = field(default_factory=list[EpisodeBatch])

    async def search(self, request: SearchRequest, spaces: Collection[str]) -> SearchResult:
        raise NotFound("This memory is only recalled from.")

    async def recall(self, question: str, spaces: Collection[str], *, token_budget: int = 1200) -> Sequence[Source]:
        self.asked.append(question)
        if self.failure:
            raise self.failure
        found = [source for source in self.sources if _words(source.quote) & _words(question)]
        return [source.model_copy(update={"n": n}) for n, source in enumerate(found, 1)]

    async def remember(
        self,
        batch: EpisodeBatch,
        *,
        spaces: Collection[str],
        thread_id: str | None = None,
        trusted: bool = True,
        door: str = "",
    ) -> StoredEpisodes:
        if self.failure:
            raise self.failure
        self.stored.append(batch)
        return StoredEpisodes(ids=[episode.external_id for episode in batch.episodes], new=len(batch.episodes))


async def file_passages(question: str, files: Sequence[FileText], k: int) -> Sequence[Source]:
    """The paragraphs that share a word with the question."""
    return [
        Source(n=0, kind="file", id=f"{file.name}:{n}", title=file.name, quote=paragraph, location=f"{file.name}:{n}")
        for file in files
        for n, paragraph in enumerate(file.text.split("\n\n"), 1)
        if _words(paragraph) & _words(question)
    ][:k]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower())) - _SMALL
