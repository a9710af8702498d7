"""The graph of what facts speak of, and the blocks that the person pins."""

from pydantic import AwareDatetime, Field

from hearth_backend.api.endpoint import Endpoint, delete, find, post
from hearth_backend.api.exchange import Call
from hearth_backend.services import Services
from hearth_shared.errors import BadRequest, Forbidden
from hearth_shared.protocol.base import Request, Space
from hearth_shared.protocol.facts import (
    Block,
    BlockList,
    BlockRequest,
    Entity,
    Filled,
    Graph,
    MergeRequest,
    Name,
    PathFound,
    PatternMatches,
    PatternRequest,
    StructuredFile,
)
from hearth_shared.protocol.principals import MAIN_SPACE, Door, Scope


class AroundQuery(Request):
    """An entity and how far to look; without a name, those that most facts speak of."""

    space: Space = MAIN_SPACE
    name: Name | None = None
    depth: int = Field(default=1, ge=1, le=3)
    at: AwareDatetime | None = None


class PathQuery(Request):
    """From one to another."""

    space: Space = MAIN_SPACE
    start: Name
    goal: Name
    hops: int = Field(default=4, ge=1, le=6)
    at: AwareDatetime | None = None


class CentralQuery(Request):
    """Those in the middle, with their groups."""

    space: Space = MAIN_SPACE
    limit: int = Field(default=50, ge=1, le=200)
    at: AwareDatetime | None = None


class BlockQuery(Request):
    """A space's blocks; with a label, the versions of that one."""

    space: Space = MAIN_SPACE
    label: str | None = Field(default=None, max_length=64)


class MemoryGraph:
    """`/v1/memory/graph` and `/v1/memory/blocks`."""

    def __init__(self, services: Services) -> None:
        self._network = services.knowledge.network
        self._filling = services.knowledge.filling
        self._blocks = services.knowledge.blocks
        self._memory = services.memory

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (*self._graph(), *self._pinned())

    def _graph(self) -> tuple[Endpoint, ...]:
        read, write = Scope.MEMORY_READ, Scope.MEMORY_WRITE
        return (
            find(
                "/v1/memory/graph", AroundQuery, self.around, "Somebody or something, and what is near.", answer=Graph
            ).needing(read),
            find(
                "/v1/memory/graph/path", PathQuery, self.path, "The shortest way between two.", answer=PathFound
            ).needing(read),
            post(
                "/v1/memory/graph/pattern",
                PatternRequest,
                self.pattern,
                "What the unknowns of a pattern of facts may be.",
                answer=PatternMatches,
            ).needing(read),
            find(
                "/v1/memory/graph/central",
                CentralQuery,
                self.central,
                "Those who stand most in the middle, each with the group it belongs to.",
                answer=Graph,
            ).needing(read),
            post("/v1/memory/graph/merge", MergeRequest, self.merge, "Two entities are one.", answer=Entity).needing(
                write
            ),
            post(
                "/v1/memory/graph/files",
                StructuredFile,
                self.fill,
                "Take facts from a CSV, JSON, vCard or iCalendar file.",
                answer=Filled,
                status=201,
            ).needing(write),
        )

    def _pinned(self) -> tuple[Endpoint, ...]:
        return (
            find(
                "/v1/memory/blocks",
                BlockQuery,
                self.blocks,
                "What is pinned, or one block's versions.",
                answer=BlockList,
            ).needing(Scope.MEMORY_READ),
            post(
                "/v1/memory/blocks/{label}",
                BlockRequest,
                self.pin,
                "Write a pinned block.",
                method="PUT",
                answer=Block,
            ).needing(Scope.MEMORY_WRITE),
            delete(
                "/v1/memory/blocks/{label}",
                self.unpin,
                "Delete a block of the main space, with its history.",
                answer=Block,
            ).needing(Scope.MEMORY_WRITE),
        )

    async def around(self, call: Call, query: AroundQuery) -> Graph:
        """One space's."""
        who = call.principal
        return await self._network.around(
            query.space, query.name, who.spaces_with(query.space), query.depth, _seconds(query.at),
            outside=not who.is_first_party,
        )  # fmt: skip

    async def path(self, call: Call, query: PathQuery) -> PathFound:
        """One space's."""
        who = call.principal
        return await self._network.path(
            query.space, query.start, query.goal, who.spaces_with(query.space), query.hops, _seconds(query.at),
            outside=not who.is_first_party,
        )  # fmt: skip

    async def pattern(self, call: Call, body: PatternRequest) -> PatternMatches:
        """One space's."""
        who = call.principal
        return await self._network.pattern(body, who.spaces_with(body.space), outside=not who.is_first_party)

    async def central(self, call: Call, query: CentralQuery) -> Graph:
        """One space's."""
        spaces = call.principal.spaces_with(query.space)
        return await self._network.central(query.space, spaces, query.limit, _seconds(query.at))

    async def merge(self, call: Call, body: MergeRequest) -> Entity:
        """The person's word alone makes two one."""
        _person(call)
        return await self._network.merge(body, call.principal.spaces_with(body.space))

    async def fill(self, call: Call, body: StructuredFile) -> Filled:
        """What a third party or a browser sends is not trusted."""
        who = call.principal
        trusted = who.is_first_party and who.door is not Door.BROWSER
        return await self._filling.fill(body, who.spaces_with(body.space), trusted=trusted, door=who.door.value)

    async def blocks(self, call: Call, query: BlockQuery) -> BlockList:
        """One space's."""
        spaces = call.principal.spaces_with(query.space)
        if query.label is None:
            return await self._blocks.list(query.space, spaces)
        return await self._blocks.history(query.space, query.label, spaces)

    async def pin(self, call: Call, body: BlockRequest) -> Block:
        """From a door of the person's alone: what stands here is read as theirs in every answer."""
        _person(call)
        label = call.params["label"]
        if not label.isascii() or not label.replace("-", "").replace("_", "").isalnum() or len(label) > 64:
            raise BadRequest(f"`{label}` cannot be a block's label.", "Use up to 64 letters, digits, - and _.")
        spaces = call.principal.spaces_with(body.space)
        return await self._blocks.put(label.lower(), body, spaces, by=call.principal.door.value)

    async def unpin(self, call: Call) -> Block:
        """From a door of the person's alone."""
        label, spaces = call.params["label"].lower(), frozenset({MAIN_SPACE})
        await self._blocks.history(MAIN_SPACE, label, spaces)
        _person(call)
        return await self._blocks.delete(MAIN_SPACE, label, spaces)


def _person(call: Call) -> None:
    who = call.principal
    if not who.is_first_party or who.door is Door.BROWSER:
        raise Forbidden("Only the person may do this.", "Do it in Hearth's window or with `hearth memory`.")


def _seconds(at: AwareDatetime | None) -> float | None:
    return None if at is None else at.timestamp()
