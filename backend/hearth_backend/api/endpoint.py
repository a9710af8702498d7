"""A route, declared once: method, path, scope, handler, and what the OpenAPI document says of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, TypeAdapter

from hearth_backend.api.exchange import Call, Dialect, Listener, Outcome, Reply, Stream
from hearth_shared.protocol.principals import Scope

Body = TypeVar("Body", bound=BaseModel)
Out = TypeVar("Out", bound=Outcome)
Run = Callable[[Call], Awaitable[Outcome]]
Kind = Literal["plain", "model", "lasting"]

OPEN: Final[frozenset[Scope]] = frozenset()
"""For the routes that need no scope: the table knows by name which may need no credential either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One route. A principal needs one of `scopes`; `None` is refused at start.

    kind: `plain` ends within the plain limit; `model` takes one of the model slots and ends when its client goes;
    `lasting` has no
    limit, and may answer with a stream that goes on until the client goes.
    """

    method: str
    path: str
    run: Run
    scopes: frozenset[Scope] | None = None
    summary: str = ""
    kind: Kind = "plain"
    status: int = 200
    takes_body: bool = False
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    dialect: Dialect = "native"
    completion: bool = False
    listen: Callable[[Call, Listener], Awaitable[None]] | None = None
    for_bridge: bool = False

    def needing(self, *scopes: Scope) -> "Endpoint":
        """This route for principals that hold one of `scopes`."""
        return replace(self, scopes=frozenset(scopes))

    def open(self) -> "Endpoint":
        """This route for everybody who reaches the listener."""
        return replace(self, scopes=OPEN)

    def only_for_bridge(self) -> "Endpoint":
        """This route for the bridge's own key, which opens nothing else: no scope gives it to anybody."""
        return replace(self, scopes=OPEN, for_bridge=True)


def get(
    path: str,
    run: Callable[[Call], Awaitable[Out]],
    summary: str,
    *,
    answer: type[BaseModel] | None = None,
    kind: Kind = "plain",
    dialect: Dialect = "native",
) -> Endpoint:
    """A route that reads."""
    return Endpoint(method="GET", path=path, run=run, summary=summary, answer=answer, kind=kind, dialect=dialect)


def find(
    path: str,
    query: type[Body],
    run: Callable[[Call, Body], Awaitable[Out]],
    summary: str,
    *,
    answer: type[BaseModel] | None = None,
    kind: Kind = "plain",
) -> Endpoint:
    """A route that reads, with a query string of the shape of `query`."""
    adapter = TypeAdapter(query)

    async def parsed(call: Call) -> Out:
        return await run(call, call.query(adapter))

    endpoint = get(path, parsed, summary, answer=answer, kind=kind)
    return replace(endpoint, query=query)


def post(
    path: str,
    body: type[Body],
    run: Callable[[Call, Body], Awaitable[Out]],
    summary: str,
    *,
    method: Literal["POST", "PUT"] = "POST",
    answer: type[BaseModel] | None = None,
    status: int = 200,
    kind: Kind = "plain",
    dialect: Dialect = "native",
    completion: bool = False,
) -> Endpoint:
    """A route that takes a JSON body of the shape of `body`."""
    adapter = TypeAdapter(body)

    async def parsed(call: Call) -> Out:
        return await run(call, call.parse(adapter))

    return Endpoint(
        method=method,
        path=path,
        run=parsed,
        summary=summary,
        kind=kind,
        status=status,
        takes_body=True,
        body=body,
        answer=answer,
        dialect=dialect,
        completion=completion,
    )


def act(
    path: str, run: Callable[[Call], Awaitable[Out]], summary: str, *, answer: type[BaseModel] | None = None
) -> Endpoint:
    """A route that does something to what its path names, and takes no body."""
    return Endpoint(method="POST", path=path, run=run, summary=summary, answer=answer)


def delete(
    path: str,
    run: Callable[[Call], Awaitable[Out]],
    summary: str,
    *,
    answer: type[BaseModel] | None = None,
    dialect: Dialect = "native",
) -> Endpoint:
    """A route that removes, ends or revokes."""
    return Endpoint(method="DELETE", path=path, run=run, summary=summary, answer=answer, dialect=dialect)


def websocket(path: str, listen: Callable[[Call, Listener], Awaitable[None]], summary: str) -> Endpoint:
    """A WebSocket."""

    async def never(call: Call) -> Reply | Stream:
        raise AssertionError("a WebSocket is listened to, not run")

    return Endpoint(method="WS", path=path, run=never, listen=listen, summary=summary, kind="lasting")
