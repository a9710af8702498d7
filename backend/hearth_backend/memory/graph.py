"""Who and what facts speak of, and how it hangs together: neighbourhood, way, pattern, middle and groups."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from hearth_backend.memory import entity_store, facts_store, graph_store, network
from hearth_backend.memory.entity_store import ANY, canonical
from hearth_backend.memory.facts import check_space, fact_of, hidden
from hearth_backend.memory.graph_store import HOP, Edge
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_shared.errors import BadRequest, NotFound
from hearth_shared.protocol.facts import (
    Entity,
    Fact,
    Graph,
    MergeRequest,
    PathFound,
    PatternMatches,
    PatternRequest,
    PatternStep,
)

MOST: Final = 200
"""Entities of an answer."""
_MOST_EDGES: Final = 20_000
_EXAMINED: Final = 5000
_SHOWN_FACTS: Final = 400


class Network:
    """`spaces` in every call are those the asker may see; `outside` is set for who must not be told what has to stay on
    this machine. Every question is about what holds at `at`, which is now when it is None."""

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def around(
        self, space: str, name: str | None, spaces: Collection[str], depth: int, at: float | None, *, outside: bool
    ) -> Graph:
        """An entity with those within `depth` hops and the facts between them; without a name, those most spoken of."""
        check_space(space, spaces)
        when = self._clock() if at is None else at
        if name is None:
            return await self._database.read(lambda connection: _most_spoken_of(connection, space))
        return await self._database.read(lambda connection: _around(connection, space, name, depth, when, outside))

    async def path(
        self, space: str, one: str, other: str, spaces: Collection[str], hops: int, at: float | None, *, outside: bool
    ) -> PathFound:
        """The shortest way between two."""
        check_space(space, spaces)
        when = self._clock() if at is None else at
        return await self._database.read(lambda connection: _path(connection, space, (one, other), hops, when, outside))

    async def pattern(self, request: PatternRequest, spaces: Collection[str], *, outside: bool) -> PatternMatches:
        """What the unknowns of a pattern may be."""
        check_space(request.space, spaces)
        when = self._clock() if request.at is None else request.at.timestamp()
        return await self._database.read(lambda connection: _Match(connection, request, when, outside).all())

    async def central(self, space: str, spaces: Collection[str], limit: int, at: float | None) -> Graph:
        """Those who stand most in the middle, each with its share as `weight` and its group."""
        check_space(space, spaces)
        when = self._clock() if at is None else at
        edges = await self._database.read(
            lambda connection: graph_store.all_edges(connection, space, when, _MOST_EDGES)
        )
        beside = network.neighbours((edge.subject, edge.object) for edge in edges)
        rank, groups = await asyncio.to_thread(lambda: (network.centrality(beside), network.communities(beside)))
        best = sorted(rank, key=lambda node: (-rank[node], node))
        chosen = best[:limit]
        entities = await self._database.read(lambda connection: _entities(connection, chosen))
        weighed = [
            one.model_copy(update={"weight": round(rank[node], 6), "community": groups[node]})
            for node, one in zip(chosen, entities, strict=True)
        ]
        return Graph(entities=weighed, cut=len(best) > limit)

    async def merge(self, request: MergeRequest, spaces: Collection[str]) -> Entity:
        """Make two one, because the person says so."""
        check_space(request.space, spaces)

        def work(connection: Connection) -> Entity:
            keep, gone = (
                _wanted(connection, request.space, name, request.kind) for name in (request.keep, request.gone)
            )
            if keep == gone:
                raise BadRequest(f"`{request.keep}` and `{request.gone}` are one already.")
            facts_store.merge(connection, keep, gone)
            return _entities(connection, [keep])[0]

        return await self._database.write(work)


def _wanted(connection: Connection, space: str, name: str, kind: str = ANY) -> int:
    found = entity_store.find(connection, space, name, kind)
    if found is None:
        raise NotFound(f"Nothing is known of `{name}` here.", "`hearth memory graph` lists whom facts speak of.")
    return found


def _entities(connection: Connection, rowids: Sequence[int], distance: Mapping[int, int] | None = None) -> list[Entity]:
    rows = entity_store.rows(connection, rowids)
    return [
        Entity(
            **{name: rows[rowid][name] for name in ("id", "space", "kind", "name")},
            aliases=entity_store.aliases(connection, rowid),
            distance=distance[rowid] if distance else 0,
        )
        for rowid in rowids
        if rowid in rows
    ]


def _shown(connection: Connection, facts: Iterable[int], outside: bool) -> list[Fact]:
    return [fact for one in facts if not hidden(fact := fact_of(connection, one), outside=outside)]


def _most_spoken_of(connection: Connection, space: str) -> Graph:
    rows = entity_store.newest(connection, space, MOST + 1)
    found = _entities(connection, [row["rowid"] for row in rows[:MOST]])
    counts = {row["id"]: row["facts"] for row in rows}
    return Graph(
        entities=[one.model_copy(update={"weight": float(counts[one.id])}) for one in found], cut=len(rows) > MOST
    )


def _around(connection: Connection, space: str, name: str, depth: int, at: float, outside: bool) -> Graph:
    root = _wanted(connection, space, name)
    distance, between = {root: 0}, dict[int, Edge]()
    frontier, cut = [root], False
    for hop in range(1, depth + 1):
        grown: list[int] = []
        for edge in _visible(connection, graph_store.edges(connection, space, frontier, at), outside):
            for node in (edge.subject, edge.object):
                if node not in distance and len(distance) < MOST:
                    distance[node] = hop
                    grown.append(node)
            cut = cut or edge.subject not in distance or edge.object not in distance
            between[edge.fact] = edge
        frontier = grown[:HOP]
        if not frontier:
            break
    inside = [edge.fact for edge in between.values() if edge.subject in distance and edge.object in distance]
    told = graph_store.values_of(connection, space, root, at, _SHOWN_FACTS)
    facts = _shown(connection, [*inside, *told][:_SHOWN_FACTS], outside)
    return Graph(entities=_entities(connection, list(distance), distance), facts=facts, cut=cut)


def _visible(connection: Connection, edges: Sequence[Edge], outside: bool) -> list[Edge]:
    """Facts that must stay on this machine connect nobody for those outside."""
    if not outside:
        return list(edges)
    return [edge for edge in edges if not facts_store.is_local_only(connection, edge.fact)]


def _path(connection: Connection, space: str, ends: tuple[str, str], hops: int, at: float, outside: bool) -> PathFound:
    start, goal = (_wanted(connection, space, name) for name in ends)
    came: dict[int, Edge | None] = {start: None}
    frontier = [start]
    for _ in range(hops):
        if goal in came or not frontier:
            break
        grown: list[int] = []
        for edge in _visible(connection, graph_store.edges(connection, space, frontier, at), outside):
            for node, other in ((edge.object, edge.subject), (edge.subject, edge.object)):
                if node not in came and other in came:
                    came[node] = edge
                    grown.append(node)
        frontier = grown[:HOP]
    if goal not in came:
        return PathFound(entities=[], facts=[])
    nodes, facts = [goal], list[int]()
    while (edge := came[nodes[-1]]) is not None:
        facts.append(edge.fact)
        nodes.append(edge.subject if edge.object == nodes[-1] else edge.object)
    places = {node: place for place, node in enumerate(reversed(nodes))}
    return PathFound(
        entities=_entities(connection, nodes[::-1], places), facts=_shown(connection, facts[::-1], outside=False)
    )


Bound = dict[str, int | str]


class _Match:
    """Answers to a pattern, step by step: each step is asked with what the steps before it have found."""

    def __init__(self, connection: Connection, request: PatternRequest, at: float, outside: bool) -> None:
        self._connection = connection
        self._request = request
        self._at = at
        self._outside = outside
        self._left = _EXAMINED
        self.found: list[Bound] = []

    def all(self) -> PatternMatches:
        """Every answer, up to the limit."""
        limit = self._request.limit
        self._step(0, {})
        matches = [{name: self._name(value) for name, value in bound.items()} for bound in self.found[:limit]]
        return PatternMatches(matches=matches, cut=len(self.found) > limit or self._left <= 0)

    def _step(self, place: int, bound: Bound) -> None:
        if len(self.found) > self._request.limit or self._left <= 0:
            return
        if place == len(self._request.steps):
            if bound not in self.found:
                self.found.append(bound)
            return
        step = self._request.steps[place]
        subject, value = self._known(step.subject, bound), self._known(step.value, bound)
        if isinstance(subject, str):
            return  # of a plain value nothing is said
        for triple in graph_store.fitting(
            self._connection,
            self._request.space,
            subject=subject,
            predicate=step.predicate,
            value=canonical(value) if isinstance(value, str) else value,
            at=self._at,
            limit=self._left,
        ):
            self._left -= 1
            if step.subject == step.value and triple.subject != triple.value:
                continue  # one unknown on both sides: it must be itself
            if not (self._outside and facts_store.is_local_only(self._connection, triple.fact)):
                self._step(place + 1, _with(bound, step, triple.subject, triple.value))

    def _known(self, name: str, bound: Bound) -> int | str | None:
        if name.startswith("?"):
            return bound.get(name)
        found = entity_store.find(self._connection, self._request.space, name)
        return name if found is None else found

    def _name(self, value: int | str) -> str:
        if isinstance(value, str):
            return value
        return entity_store.rows(self._connection, [value])[value]["name"]


def _with(bound: Bound, step: PatternStep, subject: int, value: int | str) -> Bound:
    more: Bound = {}
    if step.subject.startswith("?"):
        more[step.subject] = subject
    if step.value.startswith("?"):
        more[step.value] = value
    return bound | more
