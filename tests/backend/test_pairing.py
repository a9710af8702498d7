import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hearth_backend.bridge import Bridge
from hearth_backend.observe.health import Health
from hearth_backend.pairing import TRIES, Pairings
from hearth_backend.storage.clients import Clients
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth
from hearth_shared.errors import BackendUnavailable, Forbidden, NoPairing, WrongCode
from hearth_shared.extension import CHROMIUM_ORIGIN
from hearth_shared.paths import Home
from support import bridges

pytestmark = pytest.mark.integration

LIMIT_S = 60
CODE = "482913"
FIREFOX = "moz-extension://0c2f2d1e-7a39-4b6e-9c55-3d5f1f0a8e11"


@dataclass
class Stage:
    """Pairings over a real database and a real child."""

    clients: Clients
    bridge: Bridge
    pairings: Pairings


@pytest.fixture(params=["serve"])
async def stage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    home = Home(tmp_path / "home")
    home.make()
    database = Database(home.database, hearth.MIGRATIONS)
    clients = Clients(database)
    async with Bridge(home, 0, clients, Health(), argv=bridges.argv(request.param, tmp_path), grace_s=0) as bridge:
        yield Stage(clients, bridge, Pairings(clients, bridge, new_code=lambda: CODE))
    await database.close()


async def test_a_code_opens_the_door_once(stage: Stage) -> None:
    shown = await stage.pairings.open()
    assert (shown.state, shown.code, shown.tries_left, shown.port) == ("open", CODE, TRIES, stage.bridge.port)
    paired = await stage.pairings.by_code("482 913 ", CHROMIUM_ORIGIN, "Chromium on Linux")
    assert (paired.client.kind, paired.client.origin, paired.port) == ("browser", CHROMIUM_ORIGIN, stage.bridge.port)
    assert stage.clients.authenticate(paired.token) == paired.client
    with pytest.raises(NoPairing):
        await stage.pairings.by_code(CODE, CHROMIUM_ORIGIN, "another")
    assert stage.bridge.is_needed


async def test_whoever_shows_the_code_hears_who_came(stage: Stage) -> None:
    await stage.pairings.open()
    waiting = asyncio.create_task(stage.pairings.state(wait=True))
    paired = await stage.pairings.by_code(CODE, CHROMIUM_ORIGIN, "Chromium on Linux")
    heard = await asyncio.wait_for(waiting, LIMIT_S)
    assert (heard.state, heard.code, heard.client) == ("paired", "", paired.client)
    assert await stage.pairings.state(wait=True) == heard


async def test_the_native_host_ends_the_showing_too(stage: Stage) -> None:
    await stage.pairings.open()
    waiting = asyncio.create_task(stage.pairings.state(wait=True))
    paired = await stage.pairings.native(FIREFOX, "Firefox on Linux")
    assert (await asyncio.wait_for(waiting, LIMIT_S)).client == paired.client


async def test_the_native_host_needs_no_code(stage: Stage) -> None:
    paired = await stage.pairings.native(FIREFOX, "Firefox on Linux")
    assert paired.port is not None
    assert (await stage.pairings.state(wait=True)).state == "none"


async def test_a_wrong_code_tells_how_many_tries_are_left_and_the_fifth_ends_it(stage: Stage) -> None:
    await stage.pairings.open()
    left: list[int] = []
    for _ in range(TRIES):
        with pytest.raises(WrongCode) as refused:
            await stage.pairings.by_code("000000", CHROMIUM_ORIGIN, "x")
        left.append(refused.value.data["tries_left"])
        assert CODE not in str(refused.value)
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(NoPairing):
        await stage.pairings.by_code(CODE, CHROMIUM_ORIGIN, "x")
    assert (await stage.pairings.state(wait=True)).state == "closed"
    assert not stage.bridge.is_needed


async def test_many_tries_at_the_same_time_are_no_more_than_five(stage: Stage) -> None:
    await stage.pairings.open()
    tried = (stage.pairings.by_code(f"{code:06}", CHROMIUM_ORIGIN, "x") for code in range(50))
    came = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(isinstance(one, WrongCode) for one in came) == TRIES
    assert sum(isinstance(one, NoPairing) for one in came) == 50 - TRIES


async def test_the_right_code_at_the_same_time_is_good_once(stage: Stage) -> None:
    await stage.pairings.open()
    tried = (stage.pairings.by_code(CODE, CHROMIUM_ORIGIN, "x") for _ in range(8))
    came = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(isinstance(one, NoPairing) for one in came) == 7


@pytest.mark.parametrize("code", ["", "48291", "4829133", "４８２９１３", "\ud800", "a" * 16, "482913\0"])
async def test_anything_else_is_a_wrong_code(stage: Stage, code: str) -> None:
    await stage.pairings.open()
    with pytest.raises(WrongCode):
        await stage.pairings.by_code(code, CHROMIUM_ORIGIN, "x")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "chrome-extension://" + "a" * 32])
async def test_only_hearths_extension_is_paired_and_no_try_is_lost(stage: Stage, origin: str) -> None:
    await stage.pairings.open()
    with pytest.raises(Forbidden):
        await stage.pairings.by_code(CODE, origin, "x")
    with pytest.raises(Forbidden):
        await stage.pairings.native(origin, "x")
    assert (await stage.pairings.state(wait=False)).tries_left == TRIES


async def test_without_a_pairing_no_code_is_good(stage: Stage) -> None:
    with pytest.raises(NoPairing):
        await stage.pairings.by_code(CODE, CHROMIUM_ORIGIN, "x")


async def test_a_new_pairing_ends_the_older_one(stage: Stage) -> None:
    await stage.pairings.open()
    waiting = asyncio.create_task(stage.pairings.state(wait=True))
    await asyncio.sleep(0)
    await stage.pairings.open()
    assert (await asyncio.wait_for(waiting, LIMIT_S)).state == "open"
    stage.pairings.close()
    assert not stage.bridge.is_needed


async def test_closing_is_heard_and_closing_twice_is_no_fault(stage: Stage) -> None:
    await stage.pairings.open()
    waiting = asyncio.create_task(stage.pairings.state(wait=True))
    await asyncio.sleep(0)
    assert stage.pairings.close().state == "closed"
    assert (await asyncio.wait_for(waiting, LIMIT_S)).state == "closed"
    assert stage.pairings.close().state == "closed"


async def test_nobody_waits_longer_than_a_code_is_good(stage: Stage) -> None:
    pairings = Pairings(stage.clients, stage.bridge, open_s=0.01)
    await pairings.open()
    assert (await asyncio.wait_for(pairings.state(wait=True), LIMIT_S)).state == "expired"
    assert not stage.bridge.is_needed


async def test_a_code_is_six_digits_and_another_each_time(stage: Stage) -> None:
    pairings = Pairings(stage.clients, stage.bridge)
    codes = {(await pairings.open()).code for _ in range(5)}
    assert len(codes) > 1
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    pairings.close()


async def test_the_same_browser_again_replaces_its_token_and_another_browser_does_not(stage: Stage) -> None:
    first = await stage.pairings.native(CHROMIUM_ORIGIN, "Chromium on Linux")
    other = await stage.pairings.native(CHROMIUM_ORIGIN, "Chrome on Linux")
    again = await stage.pairings.native(CHROMIUM_ORIGIN, "Chromium on Linux")
    assert stage.clients.authenticate(first.token) is None
    assert stage.clients.authenticate(other.token) is not None
    assert stage.clients.authenticate(again.token) is not None
    assert await stage.clients.browsers() == 2


@pytest.mark.parametrize("stage", ["die"], indirect=True)
@pytest.mark.logs("hearth_backend.observe.health")
async def test_without_a_bridge_no_code_is_shown_and_the_native_host_is_let_in_all_the_same(stage: Stage) -> None:
    with pytest.raises(BackendUnavailable, match="did not start"):
        await stage.pairings.open()
    assert (await stage.pairings.state(wait=True)).state == "none"
    assert (await stage.pairings.native(FIREFOX, "Firefox")).port is None
