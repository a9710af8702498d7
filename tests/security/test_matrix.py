"""Every route, with every kind of credential, on both listeners."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from hearth_shared.protocol.principals import ALL_SCOPES, FIRST_PARTY, NEVER_THIRD_PARTY, Door, Scope
from support.backend import Backend, wrong_token
from support.routes import ROUTES, Route, ask

pytestmark = pytest.mark.security

GRANTABLE = ALL_SCOPES - NEVER_THIRD_PARTY
Credential = Callable[[Backend, Route], str]


@dataclass(frozen=True)
class Case:
    """A credential at a listener. `status` is what it must come to; None means that it is let through."""

    name: str
    listener: str
    credential: Credential
    status: int | None
    applies: Callable[[Route], bool] = lambda route: True


def _granted(scopes: frozenset[Scope]) -> Credential:
    return lambda backend, route: _token(backend, scopes)


def _revoked(backend: Backend, route: Route) -> str:
    token = backend.token(*sorted(GRANTABLE))
    backend.revoke(token)
    return token.text


def _right(backend: Backend, route: Route) -> str:
    return _token(backend, route.scopes & GRANTABLE)


def _wrong_scope(backend: Backend, route: Route) -> str:
    return _token(backend, GRANTABLE - route.scopes)


_tokens: dict[tuple[int, frozenset[Scope]], str] = {}


def _token(backend: Backend, scopes: frozenset[Scope]) -> str:
    """One token for each set of scopes."""
    key = (backend.port, scopes)
    if key not in _tokens:
        _tokens[key] = backend.token(*sorted(scopes)).text
    return _tokens[key]


def _nothing(backend: Backend, route: Route) -> str:
    return ""


def _made_up(backend: Backend, route: Route) -> str:
    return wrong_token()


def _expired(backend: Backend, route: Route) -> str:
    return backend.token(*sorted(GRANTABLE), days=1e-9).text


def _almost(backend: Backend, route: Route) -> str:
    token = backend.token(*sorted(GRANTABLE)).text
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def _door(name: str) -> Credential:
    return lambda backend, route: backend.key(name)


def _may(door: Door) -> Callable[[Route], bool]:
    return lambda route: not route.scopes.isdisjoint(FIRST_PARTY[door])


def _may_not(door: Door) -> Callable[[Route], bool]:
    return lambda route: route.scopes.isdisjoint(FIRST_PARTY[door])


def _some_token_may(route: Route) -> bool:
    return bool(route.scopes & GRANTABLE)


CASES = (
    Case("nothing", "tcp", _nothing, 401),
    Case("a wrong token", "tcp", _made_up, 401),
    Case("a token with one character changed", "tcp", _almost, 401),
    Case("an expired token", "tcp", _expired, 401),
    Case("a revoked token", "tcp", _revoked, 401),
    Case("the tray's key", "tcp", _door("tray"), 401),
    Case("a token without the scope", "tcp", _wrong_scope, 403),
    Case("a token with the scope", "tcp", _right, None, _some_token_may),
    Case(
        "a token with every scope there is", "tcp", _granted(GRANTABLE), 403, lambda route: not _some_token_may(route)
    ),
    Case("the bridge's key", "tcp", _door("browser"), 401),
    Case("nothing", "socket", _nothing, 401),
    Case("a wrong token", "socket", _made_up, 401),
    Case("a good token", "socket", _granted(GRANTABLE), 401),
    Case("an expired token", "socket", _expired, 401),
    Case("a revoked token", "socket", _revoked, 401),
    Case("the editor's key without the scope", "socket", _door("editor"), 403, _may_not(Door.EDITOR)),
    Case("the editor's key with the scope", "socket", _door("editor"), None, _may(Door.EDITOR)),
    Case("the bridge's key", "socket", _door("browser"), 403),
    Case("the command line's key", "socket", _door("cli"), None),
    Case("the tray's key", "socket", _door("tray"), None),
)
GUARDED = tuple(route for route in ROUTES if route.scopes)


def test_the_table_of_routes_is_complete(backend: Backend) -> None:
    document = backend.door().get("/v1/openapi.json").json()
    served = {
        (method.upper(), path, frozenset(operation["x-scope"]))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert served == {(route.method, route.path, route.scopes) for route in ROUTES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.listener}: {case.name}")
def test_each_route_obeys_the_credential(backend: Backend, case: Case) -> None:
    wrong: list[str] = []
    for route in filter(case.applies, GUARDED):
        credential = case.credential(backend, route)
        open_door = backend.over_tcp if case.listener == "tcp" else backend.over_socket
        status = ask(open_door(credential), route).status_code
        if status != case.status if case.status is not None else status in (401, 403):
            wrong.append(f"{route}: {status}")
    assert not wrong


@pytest.mark.parametrize("listener", ["tcp", "socket"])
def test_only_the_sign_of_life_is_open(backend: Backend, listener: str) -> None:
    client = backend.over_tcp("") if listener == "tcp" else backend.over_socket("")
    answered = [str(route) for route in ROUTES if ask(client, route).status_code != 401]
    assert answered == ["GET /healthz"]
    assert client.get("/healthz").json() == {"ok": True}


@pytest.mark.parametrize("scope", sorted(NEVER_THIRD_PARTY))
def test_no_token_is_made_that_could_decide_or_make_tokens(backend: Backend, scope: Scope) -> None:
    refused = backend.door().post("/v1/clients", json={"name": "sly", "scopes": [scope]})
    assert refused.status_code == 403
    assert refused.json()["fix"]
