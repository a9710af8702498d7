"""Facts: what is known, since when and why, and how the person corrects it."""

from pydantic import AwareDatetime, Field

from hearth_backend.api.endpoint import Endpoint, find, post
from hearth_backend.api.exchange import Call
from hearth_backend.services import Services
from hearth_shared.protocol.base import Identifier, Request, Space
from hearth_shared.protocol.facts import (
    EndRequest,
    Fact,
    FactList,
    Name,
    NewFact,
    PredicateName,
    RetractRequest,
    StoredFact,
    SummaryList,
    Why,
)
from hearth_shared.protocol.principals import MAIN_SPACE, Door, Scope


class FactQuery(Request):
    """Which facts: what held at `at` by what was known at `known_at`, both now when left out."""

    space: Space = MAIN_SPACE
    subject: Name | None = Field(default=None, description="a name, an alias or an id; the person is `me`")
    predicate: PredicateName | None = None
    query: str | None = Field(default=None, min_length=1, max_length=400, description="only facts with these words")
    at: AwareDatetime | None = None
    known_at: AwareDatetime | None = None
    history: bool = Field(default=False, description="what ever held, not only what holds at `at`")
    limit: int = Field(default=50, ge=1, le=500)


class WhyQuery(Request):
    """A fact's id, or a memory's."""

    id: Identifier


class SummaryQuery(Request):
    """Which summaries."""

    space: Space = MAIN_SPACE
    level: str | None = Field(default=None, pattern="^(session|week)$")
    key: str | None = Field(default=None, max_length=256, description="a session's name, or a week such as 2026-W48")
    limit: int = Field(default=20, ge=1, le=200)


class Facts:
    """`/v1/memory/facts`, `/v1/memory/why` and `/v1/memory/summaries`."""

    def __init__(self, services: Services) -> None:
        self._facts = services.knowledge.facts
        self._summaries = services.knowledge.summaries
        self._memory = services.memory

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        read, write = Scope.MEMORY_READ, Scope.MEMORY_WRITE
        return (
            find(
                "/v1/memory/facts", FactQuery, self.list, "What is true, or was, by two clocks.", answer=FactList
            ).needing(read),
            post(
                "/v1/memory/facts",
                NewFact,
                self.add,
                "Add a fact; a new value of what has one at a time closes the old one.",
                answer=StoredFact,
                status=201,
            ).needing(write),
            post("/v1/memory/facts/{fact_id}/end", EndRequest, self.end, "It is true no longer.", answer=Fact).needing(
                write
            ),
            post(
                "/v1/memory/facts/{fact_id}/retract", RetractRequest, self.retract, "It was never true.", answer=Fact
            ).needing(write),
            find(
                "/v1/memory/why",
                WhyQuery,
                self.why,
                "The memories that a fact rests on, or the facts that rest on a memory.",
                answer=Why,
            ).needing(read),
            find(
                "/v1/memory/summaries",
                SummaryQuery,
                self.summaries,
                "What sessions and weeks came to; each line cites memories.",
                answer=SummaryList,
            ).needing(read),
        )

    async def list(self, call: Call, query: FactQuery) -> FactList:
        """One space's."""
        who = call.principal
        return await self._facts.list(
            query.space,
            who.spaces_with(query.space),
            subject=query.subject,
            predicate=query.predicate,
            query=query.query,
            at=None if query.at is None else query.at.timestamp(),
            known_at=None if query.known_at is None else query.known_at.timestamp(),
            history=query.history,
            limit=query.limit,
            outside=not who.is_first_party,
        )

    async def add(self, call: Call, body: NewFact) -> StoredFact:
        """What a third party or a browser adds is not trusted: it closes nothing that the person said."""
        who = call.principal
        trusted = who.is_first_party and who.door is not Door.BROWSER
        return await self._facts.add(body, who.spaces_with(body.space), trusted=trusted, door=who.door.value)

    async def end(self, call: Call, body: EndRequest) -> Fact:
        """By id."""
        at = None if body.at is None else body.at.timestamp()
        return await self._facts.end(call.params["fact_id"], at, await self._spaces(call))

    async def retract(self, call: Call, body: RetractRequest) -> Fact:
        """By id."""
        return await self._facts.retract(call.params["fact_id"], await self._spaces(call))

    async def why(self, call: Call, query: WhyQuery) -> Why:
        """By id."""
        outside = not call.principal.is_first_party
        return await self._facts.why(query.id, await self._spaces(call), outside=outside)

    async def summaries(self, call: Call, query: SummaryQuery) -> SummaryList:
        """One space's."""
        spaces = call.principal.spaces_with(query.space)
        return await self._summaries.list(query.space, spaces, level=query.level, key=query.key, limit=query.limit)

    async def _spaces(self, call: Call) -> frozenset[str]:
        who = call.principal
        return await self._memory.spaces() if who.is_first_party else who.spaces
