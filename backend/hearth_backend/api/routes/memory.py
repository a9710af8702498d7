"""Memory: what is kept, how it is found again, and how it is forgotten."""

from typing import Final

from pydantic import AwareDatetime, Field

from hearth_backend.api.endpoint import Endpoint, find, post
from hearth_backend.api.exchange import Call
from hearth_backend.memory.consent import Permits
from hearth_backend.services import Services
from hearth_shared.protocol.base import Request, Space
from hearth_shared.protocol.memory import (
    Episode,
    EpisodeBatch,
    EpisodeList,
    Hit,
    SearchRequest,
    SearchResult,
    StoredEpisodes,
)
from hearth_shared.protocol.principals import MAIN_SPACE, Door, Scope
from hearth_shared.sites import is_page

_SAID: Final = (None, "turn", "note")


class EpisodePage(Request):
    """Which episodes to list."""

    space: Space = MAIN_SPACE
    limit: int = Field(default=50, ge=1, le=500)
    after: str | None = Field(default=None, max_length=256, description="`next` of the page before")


class SearchQuery(Request):
    """A question to memory, in an address."""

    query: str = Field(min_length=1, max_length=4000)
    space: Space = MAIN_SPACE
    k: int = Field(default=10, ge=1, le=200)
    token_budget: int | None = Field(default=None, ge=1, le=200_000)
    words_only: bool = False
    neighbours: int = Field(default=0, ge=0, le=5)
    after: AwareDatetime | None = None
    before: AwareDatetime | None = None


class Memory:
    """`/v1/memory`."""

    def __init__(self, services: Services) -> None:
        self._memory = services.memory
        self._consents = services.consents
        self._permits = Permits(services.consents.decisions)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (
            find("/v1/memory/episodes", EpisodePage, self.list, "Episodes, newest first.", answer=EpisodeList).needing(
                Scope.MEMORY_READ
            ),
            post(
                "/v1/memory/episodes",
                EpisodeBatch,
                self.remember,
                "Remember episodes, all or none; the same one twice counts once.",
                answer=StoredEpisodes,
                status=201,
            ).needing(Scope.MEMORY_WRITE),
            find("/v1/memory/search", SearchQuery, self.find, "Search memory.", answer=SearchResult).needing(
                Scope.MEMORY_READ
            ),
            post("/v1/memory/search", SearchRequest, self.search, "Search memory.", answer=SearchResult).needing(
                Scope.MEMORY_READ
            ),
        )

    async def list(self, call: Call, page: EpisodePage) -> EpisodeList:
        """One space's."""
        spaces = call.principal.spaces_with(page.space)
        found = await self._memory.list(page.space, spaces, limit=page.limit, after=page.after)
        return found.model_copy(update={"episodes": [one for one in found.episodes if self._may(call, one)]})

    async def remember(self, call: Call, body: EpisodeBatch) -> StoredEpisodes:
        """What a third party writes, or what stands in a page or a file, is not trusted: it may be read, and never
        obeyed."""
        who = call.principal
        pages = [episode.source for episode in body.episodes if is_page(episode.source)]
        if who.door is Door.BROWSER:
            self._consents.check(who.door.value, pages)
        self._consents.check_named(who.door.value, (episode.project for episode in body.episodes))
        said = not pages and all(episode.origin in _SAID for episode in body.episodes)
        trusted = who.is_first_party and who.door is not Door.BROWSER and said
        return await self._memory.remember(
            body, spaces=who.spaces_with(body.space), trusted=trusted, door=who.door.value
        )

    async def find(self, call: Call, query: SearchQuery) -> SearchResult:
        """By an address."""
        return await self.search(call, SearchRequest.model_validate(query.model_dump()))

    async def search(self, call: Call, body: SearchRequest) -> SearchResult:
        """One space's, best first."""
        found = await self._memory.search(body, call.principal.spaces_with(body.space))
        hits = [hit for hit in found.results if self._may(call, hit)]
        if call.principal.door is Door.HTTP:
            beside = [one.id for hit in hits for one in hit.neighbours]
            hits = [_without(hit, await self._memory.staying(beside)) for hit in hits] if beside else hits
        return found.model_copy(update={"results": hits})

    def _may(self, call: Call, one: Hit | Episode) -> bool:
        return self._permits.may(call.principal.door.value, one.source, one.sensitivity)


def _without(hit: Hit, private: frozenset[str]) -> Hit:
    return hit.model_copy(update={"neighbours": [one for one in hit.neighbours if one.id not in private]})
