"""The gate's order: what each step may tell follows from the one before."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hearth_backend.api.endpoint import get, post
from hearth_backend.api.exchange import Call, Reply
from hearth_shared.protocol.base import Request
from hearth_shared.protocol.principals import Door, Scope
from hearth_shared.settings import Server
from support.ask import ask
from support.doors import Doors, doors

pytestmark = pytest.mark.integration


class Note(Request):
    """A body."""

    text: str = ""


async def show(call: Call) -> Reply:
    return Reply(b'{"by":"%b"}' % call.principal.name.encode())


async def take(call: Call, body: Note) -> Reply:
    return Reply(b"{}", 201)


async def break_down(call: Call) -> Reply:
    raise KeyError("a secret of the inside")


ENDPOINTS = [
    get("/healthz", show, "").open(),
    get("/v1/notes", show, "").needing(Scope.STATUS),
    post("/v1/notes", Note, take, "").needing(Scope.STATUS),
    get("/v1/broken", break_down, "").needing(Scope.STATUS),
    get("/v1/chat", show, "", dialect="openai").needing(Scope.CHAT),
]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Doors]:
    settings = Server(max_body=2048, third_party_per_minute=1, third_party_burst=8)
    async with doors(tmp_path, ENDPOINTS, settings=settings) as opened:
        yield opened


async def test_who_has_every_right_is_served(house: Doors) -> None:
    token = await house.token(Scope.STATUS)
    answer = await ask(house.port, "GET", "/v1/notes", token)
    assert (answer.status, answer.body[:13]) == (200, b'{"by":"client')
    over_socket = await ask(house.home.socket, "GET", "/v1/notes", house.keys[Door.CLI])
    assert over_socket.json() == {"by": "cli"}


async def test_a_foreign_host_outweighs_everything_that_follows(house: Doors) -> None:
    answer = await ask(house.port, "POST", "/nothing", "wrong", host="evil.example", body=b"x" * 10_000)
    assert answer.status == 403


async def test_a_foreign_origin_outweighs_a_missing_token(house: Doors) -> None:
    assert (await ask(house.port, "GET", "/v1/notes", "", headers={"Origin": "null"})).status == 403


async def test_a_wrong_token_outweighs_a_wrong_body_and_an_unknown_path(house: Doors) -> None:
    for path in ("/v1/notes", "/nothing"):
        answer = await ask(house.port, "POST", path, "wrong", body=b"x", headers={"Content-Type": "text/plain"})
        assert answer.status == 401


async def test_a_body_that_is_not_json_outweighs_a_missing_scope(house: Doors) -> None:
    token = await house.token(Scope.CHAT)
    answer = await ask(house.port, "POST", "/v1/notes", token, body=b"x", headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media")


async def test_a_missing_scope_outweighs_a_body_too_large(house: Doors) -> None:
    answer = await ask(house.port, "POST", "/v1/notes", await house.token(Scope.CHAT), body=b"x" * 10_000)
    assert answer.status == 403
    assert "status" in answer.json()["detail"]


async def test_a_body_too_large_outweighs_a_rate(house: Doors) -> None:
    token = await house.token(Scope.STATUS)
    for _ in range(12):
        assert (await ask(house.port, "POST", "/v1/notes", token, body=b"x" * 10_000)).status == 413


async def test_beyond_the_burst_a_token_is_told_to_wait(house: Doors) -> None:
    token = await house.token(Scope.STATUS)
    answers = [await ask(house.port, "GET", "/v1/notes", token) for _ in range(9)]
    assert [answer.status for answer in answers] == [*[200] * 8, 429]
    assert int(answers[-1].headers["retry-after"]) > 1
    assert answers[-1].json()["retryable"] is True


async def test_a_method_that_is_not_there_names_those_that_are(house: Doors) -> None:
    answer = await ask(house.port, "DELETE", "/v1/notes", await house.token(Scope.STATUS))
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


async def test_an_unknown_address_is_a_problem_for_who_may_know(house: Doors) -> None:
    answer = await ask(house.port, "GET", "/v1/nothing", await house.token(Scope.STATUS))
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_a_refusal_speaks_the_routes_dialect(house: Doors) -> None:
    answer = await ask(house.port, "GET", "/v1/chat", await house.token(Scope.STATUS))
    assert (answer.status, answer.json()["error"]["type"]) == (403, "permission_error")


async def test_the_open_route_asks_for_nothing(house: Doors) -> None:
    for place in (house.port, house.home.socket):
        assert (await ask(place, "GET", "/healthz", "")).status == 200
    assert (await ask(house.port, "POST", "/healthz", "", body=b"{}")).status == 401


@pytest.mark.parametrize("kind", ["Basic", "Token", "bearerx", ""])
async def test_only_a_bearer_credential_counts(house: Doors, kind: str) -> None:
    token = await house.token(Scope.STATUS)
    answer = await ask(house.port, "GET", "/v1/notes", "", headers={"Authorization": f"{kind} {token}".strip()})
    assert answer.status == 401


async def test_a_token_may_come_as_anthropics_clients_show_it(house: Doors) -> None:
    token = await house.token(Scope.STATUS)
    assert (await ask(house.port, "GET", "/v1/notes", "", headers={"X-Api-Key": token})).status == 200
    for listener, key in ((house.home.socket, token), (house.port, house.home.key("tray").read_text("ascii"))):
        assert (await ask(listener, "GET", "/v1/notes", "", headers={"X-Api-Key": key})).status == 401
    two = {"X-Api-Key": token, "Authorization": "Bearer wrong"}
    assert (await ask(house.port, "GET", "/v1/notes", "", headers=two)).status == 401


async def test_the_scheme_is_read_without_regard_to_case(house: Doors) -> None:
    token = await house.token(Scope.STATUS)
    answer = await ask(house.port, "GET", "/v1/notes", "", headers={"Authorization": f"BEARER {token}"})
    assert answer.status == 200


async def test_a_websocket_to_a_route_that_is_none_is_refused(house: Doors) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    answer = await ask(house.port, "GET", "/v1/notes", await house.token(Scope.STATUS), headers=upgrade)
    assert answer.status == 403


@pytest.mark.logs("hearth_backend.api.failures")
async def test_a_defect_is_a_problem_with_its_number_and_nothing_of_the_inside(
    house: Doors, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await ask(house.port, "GET", "/v1/broken", await house.token(Scope.STATUS))
    assert (answer.status, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.body.decode()
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-request-id"] in caplog.text
    assert "a secret of the inside" in caplog.text


@pytest.mark.logs("hearth_backend.api.gate")
async def test_when_credentials_cannot_be_checked_nobody_is_let_in(house: Doors) -> None:
    token = await house.token(Scope.STATUS)
    await house.database.close()
    house.database._peek.close()  # pyright: ignore[reportPrivateUsage]
    assert (await ask(house.port, "GET", "/v1/notes", token)).status == 503


async def test_requests_are_counted_by_route_and_never_by_path(house: Doors) -> None:
    await ask(house.port, "GET", "/v1/notes", await house.token(Scope.STATUS))
    await ask(house.port, "GET", "/v1/secret-path", "")
    counted = house.metrics.render().decode()
    assert 'hearth_http_requests_total{method="GET",route="/v1/notes",status="200"} 1.0' in counted
    assert 'route="refused"' in counted
    assert "secret-path" not in counted
