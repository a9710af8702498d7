"""A browser's door: its token is good behind the bridge's key alone, from its own Origin alone, until it is revoked."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import httpx2
import pytest

from hearth_shared.extension import CHROMIUM_ORIGIN
from hearth_shared.protocol.principals import BROWSER_SCOPES, Scope
from support import raw_http
from support.backend import Backend, Browser, wrong_token
from support.routes import ROUTES, Route, ask

pytestmark = pytest.mark.security

LIMIT_S = 60
FIREFOX = "moz-extension://0c2f2d1e-7a39-4b6e-9c55-3d5f1f0a8e11"
GUARDED = tuple(route for route in ROUTES if route.scopes)
PAIR = next(route for route in ROUTES if route.for_bridge)
_paired: dict[int, Browser] = {}
Client = Callable[[Backend], httpx2.Client]


def paired(backend: Backend) -> Browser:
    """One browser for all tests that only look."""
    if backend.port not in _paired:
        _paired[backend.port] = backend.pair("Chromium of the tests")
    return _paired[backend.port]


def right(backend: Backend) -> httpx2.Client:
    return backend.browser(paired(backend))


def forwarded(**changes: str) -> Client:
    return lambda backend: backend.browser(replace(paired(backend), **changes))


def revoked(backend: Backend) -> httpx2.Client:
    browser = backend.pair("a revoked one")
    assert backend.browser(browser).get("/readyz").status_code == 200
    assert backend.door("tray").delete(f"/v1/clients/{browser.id}").status_code == 200
    return backend.browser(browser)


def expired(backend: Backend) -> httpx2.Client:
    browser = backend.pair("an expired one")
    with contextlib.closing(sqlite3.connect(backend.home.database, timeout=LIMIT_S)) as database, database:
        database.execute("update client set expires_at = 1 where id = ?", (browser.id,))
    return backend.browser(browser)


def third_partys(origin: str) -> Client:
    def client(backend: Backend) -> httpx2.Client:
        token = backend.token(*BROWSER_SCOPES)
        return backend.browser(Browser(token.id, token.text, origin))

    return client


def over_socket(backend: Backend) -> httpx2.Client:
    return backend.over_socket(paired(backend).token)


def over_tcp(backend: Backend) -> httpx2.Client:
    return backend.over_tcp(paired(backend).token)


def over_tcp_with_key(backend: Backend) -> httpx2.Client:
    client = backend.over_tcp(backend.key("browser"))
    client.headers.update({"X-Hearth-Token": paired(backend).token, "X-Hearth-Origin": CHROMIUM_ORIGIN})
    return client


def over_tcp_beside_a_good_token(backend: Backend) -> httpx2.Client:
    """A program with few rights that knows a browser's token gains nothing by it."""
    client = backend.over_tcp(backend.token(Scope.USAGE).text)
    client.headers.update({"X-Hearth-Token": paired(backend).token, "X-Hearth-Origin": CHROMIUM_ORIGIN})
    return client


@dataclass(frozen=True)
class Case:
    """What is presented, and what it must come to on each route that `applies`; None: it is let through."""

    name: str
    client: Client
    status: int | None
    applies: Callable[[Route], bool] = lambda route: True


def _may(route: Route) -> bool:
    return not route.scopes.isdisjoint(BROWSER_SCOPES)


CASES = (
    Case("the right one", right, None, _may),
    Case("the right one without the scope", right, 403, lambda route: not _may(route)),
    Case("no token", lambda backend: backend.door("browser"), 403),
    Case("an empty token", forwarded(token=""), 401),
    Case("a wrong token", forwarded(token=wrong_token()), 401),
    Case("nonsense", forwarded(token="x" * 5000), 401),
    Case("an expired token", expired, 401),
    Case("a revoked token", revoked, 401),
    Case("a third party's token", third_partys(CHROMIUM_ORIGIN), 401),
    Case("a third party's token without Origin", third_partys(""), 401),
    Case("another extension's Origin", forwarded(origin="chrome-extension://" + "a" * 32), 401),
    Case("another browser's Origin", forwarded(origin=FIREFOX), 401),
    Case("a page's Origin", forwarded(origin="https://evil.example"), 401),
    Case("no Origin", forwarded(origin=""), 401),
    Case("an Origin that only begins so", forwarded(origin=f"{CHROMIUM_ORIGIN}.evil.example"), 401),
    Case("an Origin that ends too soon", forwarded(origin=CHROMIUM_ORIGIN[:-1]), 401),
    Case("without the bridge's key", over_socket, 401),
    Case("over TCP", over_tcp, 401),
    Case("over TCP with the bridge's key", over_tcp_with_key, 401),
    Case("over TCP beside another's token", over_tcp_beside_a_good_token, 403, lambda r: Scope.USAGE not in r.scopes),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_route_obeys_what_the_bridge_forwards(backend: Backend, case: Case) -> None:
    client = case.client(backend)
    wrong: list[str] = []
    for route in filter(case.applies, GUARDED):
        status = ask(client, route).status_code
        if status != case.status if case.status is not None else status in (401, 403):
            wrong.append(f"{route}: {status}")
    assert not wrong


def test_a_door_of_the_persons_is_not_taken_for_a_browser(backend: Backend) -> None:
    client = backend.door("editor")
    headers = {"X-Hearth-Token": paired(backend).token, "X-Hearth-Origin": CHROMIUM_ORIGIN}
    assert client.post("/v1/complete", json={}, headers=headers).status_code == 422


@pytest.mark.parametrize("name", ["X-Hearth-Token", "X-Hearth-Origin", "Authorization"])
def test_a_header_that_comes_twice_is_refused(backend: Backend, name: str) -> None:
    browser = paired(backend)
    headers = [
        ("Host", "localhost"),
        ("Authorization", f"Bearer {backend.key('browser')}"),
        ("X-Hearth-Token", browser.token),
        ("X-Hearth-Origin", browser.origin),
    ]
    doubled = [*headers, next(pair for pair in headers if pair[0] == name)]
    assert raw_http.exchange(backend.home.socket, raw_http.request("GET", "/readyz", headers)).status == 200
    assert raw_http.exchange(backend.home.socket, raw_http.request("GET", "/readyz", doubled)).status == 403


@pytest.mark.parametrize(
    ("listener", "credential", "status"),
    [
        ("socket", "", 401),
        ("socket", "tray", 403),
        ("socket", "cli", 403),
        ("socket", "editor", 403),
        ("tcp", "", 401),
        ("tcp", "browser", 401),
        ("tcp", "token", 403),
        ("browser", "", 403),
    ],
)
def test_only_the_bridge_may_ask_for_a_token(backend: Backend, listener: str, credential: str, status: int) -> None:
    match listener:
        case "browser":
            client = right(backend)
        case "socket":
            client = backend.over_socket(backend.key(credential) if credential else "")
        case _:
            text = backend.token(Scope.CHAT).text if credential == "token" else ""
            client = backend.over_tcp(backend.key("browser") if credential == "browser" else text)
    body = {"native": True, "origin": CHROMIUM_ORIGIN, "name": "sly"}
    refused = client.post(PAIR.path, json=body)
    assert refused.status_code == status
    assert "hth_" not in refused.text.replace("hth_…", "")


async def test_what_a_revoked_browser_has_open_ends(backend: Backend) -> None:
    browser, opened = backend.pair("one that is watched"), asyncio.Event()
    headers = {
        "Authorization": f"Bearer {backend.key('browser')}",
        "X-Hearth-Token": browser.token,
        "X-Hearth-Origin": browser.origin,
    }

    async def follow() -> None:
        transport = httpx2.AsyncHTTPTransport(uds=str(backend.home.socket), verify=False)
        async with (
            httpx2.AsyncClient(transport=transport, timeout=LIMIT_S) as client,
            client.stream("GET", "http://localhost/v1/events", headers=headers) as answer,
        ):
            assert answer.status_code == 200
            async for _ in answer.aiter_bytes():
                opened.set()

    reading = asyncio.create_task(follow())
    await asyncio.wait_for(opened.wait(), LIMIT_S)
    await asyncio.to_thread(backend.door("tray").delete, f"/v1/clients/{browser.id}")
    await asyncio.wait_for(reading, LIMIT_S)


def test_no_token_and_no_code_is_written_anywhere(backend: Backend) -> None:
    browser = backend.pair("one with a secret")
    shown = backend.door("tray").post("/v1/clients/pairing", json={}).json()
    backend.door("browser").post("/v1/pair", json={"code": "x", "origin": CHROMIUM_ORIGIN, "name": "x"})
    backend.browser(browser).get("/v1/status")
    backend.door("tray").delete("/v1/clients/pairing")
    written = backend.log()
    assert browser.token.rpartition("_")[2] not in written
    assert f'"{shown["code"]}"' not in written


def test_wrong_codes_are_few(backend: Backend) -> None:
    door: Mapping[str, object] = {"origin": CHROMIUM_ORIGIN, "name": "guesser"}
    backend.door("tray").post("/v1/clients/pairing", json={})
    answers = [backend.door("browser").post("/v1/pair", json={**door, "code": "none"}) for _ in range(12)]
    codes = [answer.json()["code"] for answer in answers]
    assert codes.count("wrong_code") <= 5
    assert set(codes) <= {"wrong_code", "no_pairing", "rate_limited"}
    assert codes[-1] == "rate_limited"
    assert int(answers[-1].headers["retry-after"]) >= 1
