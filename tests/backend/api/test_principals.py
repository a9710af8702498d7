import hashlib
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hearth_backend.api.principals import (
    Listener,
    Principals,
    browser,
    first_party,
    remove_keys,
    third_party,
    write_keys,
)
from hearth_backend.storage.clients import Clients
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth
from hearth_shared.extension import CHROMIUM_ORIGIN
from hearth_shared.paths import Home
from hearth_shared.protocol.principals import ALL_SCOPES, BROWSER_SCOPES, Client, Door, Scope, TokenRequest

pytestmark = pytest.mark.integration


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "hearth.db", hearth.MIGRATIONS)
    yield opened
    await opened.close()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


async def token(clients: Clients, *scopes: Scope, days: float = 1, spaces: list[str] | None = None) -> str:
    request = TokenRequest(name="x", scopes=list(scopes) or [Scope.CHAT], days=days, spaces=spaces or ["main"])
    return (await clients.create(request)).token


def test_a_key_is_new_at_each_start_and_private(home: Home) -> None:
    first, second = write_keys(home), write_keys(home)
    assert set(first) == {Door.TRAY, Door.CLI, Door.EDITOR, Door.BROWSER}
    assert not set(first.values()) & set(second.values())
    for door, key in second.items():
        assert home.key(door).read_text() == key
        assert stat.S_IMODE(home.key(door).stat().st_mode) == 0o600


def test_no_key_outlives_the_backend(home: Home) -> None:
    write_keys(home)
    remove_keys(home)
    assert not list(home.run.glob("*.key"))


def test_a_key_file_that_somebody_opened_to_others_is_replaced(home: Home) -> None:
    home.key("tray").write_text("old")
    home.key("tray").chmod(0o666)
    write_keys(home)
    assert stat.S_IMODE(home.key("tray").stat().st_mode) == 0o600


async def test_each_credential_is_good_at_its_own_listener_only(database: Database, home: Home) -> None:
    clients, keys = Clients(database), write_keys(home)
    principals = Principals(keys, clients)
    given = await token(clients)
    assert principals.authenticate(keys[Door.TRAY].encode(), Listener.SOCKET) == first_party(Door.TRAY)
    assert principals.authenticate(keys[Door.TRAY].encode(), Listener.TCP) is None
    assert principals.authenticate(given.encode(), Listener.SOCKET) is None
    found = principals.authenticate(given.encode(), Listener.TCP)
    assert found is not None
    assert (found.door, found.scopes, found.owner) == (Door.HTTP, {Scope.CHAT}, f"client:{found.client}")
    await principals.close()


@pytest.mark.parametrize("wrong", [b"", b"x", b"hth_", b"hth__", b"hth_a_b", b"\xff\xfe", b"hth_" + b"a" * 100_000])
async def test_nonsense_is_nobody(database: Database, wrong: bytes) -> None:
    principals = Principals({}, Clients(database))
    assert principals.authenticate(wrong, Listener.TCP) is None
    assert principals.authenticate(wrong, Listener.SOCKET) is None


async def test_a_known_token_expires_all_the_same(database: Database) -> None:
    clock = Clock()
    clients = Clients(database, clock=clock)
    principals = Principals({}, clients)
    given = (await token(clients, days=1)).encode()
    assert principals.authenticate(given, Listener.TCP) is not None
    clock.now += 86_401
    assert principals.authenticate(given, Listener.TCP) is None
    clock.now -= 86_401  # a clock set back brings nothing to life
    assert principals.authenticate(given, Listener.TCP) is None
    await principals.close()


async def test_a_known_token_is_forgotten_when_it_is_revoked(database: Database) -> None:
    clients = Clients(database)
    principals = Principals({}, clients)
    given = (await token(clients)).encode()
    found = principals.authenticate(given, Listener.TCP)
    assert found is not None
    await clients.revoke(found.client)
    assert principals.authenticate(given, Listener.TCP) is None
    await principals.close()


async def test_when_a_program_was_last_here_is_noted(database: Database) -> None:
    clients = Clients(database)
    principals = Principals({}, clients)
    principals.authenticate((await token(clients)).encode(), Listener.TCP)
    await principals.close()
    assert (await clients.list()).clients[0].last_seen_at is not None


def test_a_scope_of_another_version_gives_no_right() -> None:
    client = Client(id="a", name="x", scopes=["chat", "everything"], spaces=[], created_at=0, expires_at=1)
    assert third_party(client).scopes == {Scope.CHAT}


def test_only_who_may_read_memory_recalls_from_it() -> None:
    base = Client(id="a", name="x", scopes=["chat"], spaces=["main"], created_at=0, expires_at=1)
    assert third_party(base).recalled == frozenset()
    reader = base.model_copy(update={"scopes": ["chat", "memory:read"]})
    assert third_party(reader).recalled == {"main"}


def test_a_door_of_the_persons_sees_every_space_and_a_token_its_own() -> None:
    assert first_party(Door.CLI).spaces_with("garden") == {"main", "garden"}
    program = third_party(Client(id="a", name="x", scopes=[], spaces=["main"], created_at=0, expires_at=1))
    assert program.spaces_with("garden") == {"main"}


def test_the_tray_may_do_everything_and_the_editor_may_not_decide() -> None:
    assert first_party(Door.TRAY).scopes == ALL_SCOPES
    assert Scope.APPROVALS_DECIDE not in first_party(Door.EDITOR).scopes


async def test_what_is_stored_is_the_hash_of_the_secret(database: Database) -> None:
    given = await token(Clients(database))
    row = database.peek("select secret_sha256 from client")
    assert row is not None
    assert row["secret_sha256"] == hashlib.sha256(given.split("_", 2)[2].encode()).digest()


async def test_a_browser_is_known_by_its_token_and_its_origin_until_it_is_revoked(database: Database) -> None:
    clients = Clients(database)
    principals = Principals({}, clients)
    paired = await clients.pair(CHROMIUM_ORIGIN, "Chromium")
    token, origin = paired.token.encode(), CHROMIUM_ORIGIN.encode()
    for _ in range(2):  # looked up, then known
        found = principals.behind_bridge(token, origin)
        assert found is not None
        assert (found.door, found.owner, found.scopes) == (Door.BROWSER, "person", BROWSER_SCOPES)
        assert found.is_first_party
        assert not found.is_bridge
        assert principals.behind_bridge(token, b"") is None
        assert principals.behind_bridge(token, origin + b"/") is None
    assert principals.authenticate(token, Listener.TCP) is None
    assert principals.authenticate(token, Listener.SOCKET) is None
    await clients.revoke(paired.client.id)
    assert principals.behind_bridge(token, origin) is None
    await principals.close()


async def test_a_browser_may_no_more_than_a_browser_whatever_its_row_says(database: Database) -> None:
    row = (await Clients(database).pair(CHROMIUM_ORIGIN, "Chromium")).client
    sly = browser(row.model_copy(update={"scopes": [scope.value for scope in Scope]}))
    assert sly.scopes == BROWSER_SCOPES
    assert not BROWSER_SCOPES & {Scope.APPROVALS_DECIDE, Scope.CLIENTS, Scope.SETTINGS}


def test_the_bridges_own_key_opens_nothing() -> None:
    bridge = first_party(Door.BROWSER)
    assert bridge.is_bridge
    assert bridge.scopes == frozenset()
