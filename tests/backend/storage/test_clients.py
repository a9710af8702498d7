from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hearth_backend.storage.clients import Clients
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth
from hearth_shared.errors import Forbidden, NotFound
from hearth_shared.protocol.principals import Scope, TokenRequest

pytestmark = pytest.mark.integration


@pytest.fixture
async def clients(tmp_path: Path) -> AsyncIterator[Clients]:
    database = Database(tmp_path / "hearth.db", hearth.MIGRATIONS)
    yield Clients(database)
    await database.close()


async def test_a_token_belongs_to_its_client_alone(clients: Clients) -> None:
    one, other = await clients.create(TokenRequest(name="one")), await clients.create(TokenRequest(name="other"))
    assert clients.authenticate(one.token) == one.client
    assert clients.authenticate(other.token) == other.client
    mixed = f"hth_{one.client.id}_{other.token.split('_', 2)[2]}"
    assert clients.authenticate(mixed) is None


async def test_the_newest_client_is_listed_first_without_its_token(clients: Clients) -> None:
    made = [await clients.create(TokenRequest(name=name)) for name in ("one", "two")]
    listed = (await clients.list()).clients
    assert {client.name for client in listed} == {"one", "two"}
    assert not any(token.token.split("_", 2)[2] in str(listed) for token in made)


async def test_a_revoked_token_is_nobodys_and_those_who_care_are_told_once_it_is_on_disk(clients: Clients) -> None:
    made = await clients.create(TokenRequest(name="one"))
    told: list[str] = []
    end = clients.on_revoke(lambda client: told.append(client if clients.authenticate(made.token) is None else "early"))
    revoked = await clients.revoke(made.client.id)
    assert revoked.revoked_at is not None
    assert told == [made.client.id]
    end()
    assert (await clients.revoke(made.client.id)).revoked_at == revoked.revoked_at
    assert told == [made.client.id]


async def test_an_unknown_client_cannot_be_revoked(clients: Clients) -> None:
    with pytest.raises(NotFound):
        await clients.revoke("nobody")


@pytest.mark.parametrize("scope", [Scope.APPROVALS_DECIDE, Scope.CLIENTS])
async def test_no_token_may_decide_or_make_tokens(clients: Clients, scope: Scope) -> None:
    with pytest.raises(Forbidden):
        await clients.create(TokenRequest(name="sly", scopes=[Scope.CHAT, scope]))
    assert (await clients.list()).clients == []


async def test_the_editors_grant_holds_until_it_ends_or_another_takes_its_place(tmp_path: Path) -> None:
    now = 1000.0
    database = Database(tmp_path / "hearth.db", hearth.MIGRATIONS)
    clients = Clients(database, clock=lambda: now)
    assert not clients.editors_may_decide()
    first, second = await clients.let_editors_decide(1), await clients.let_editors_decide(2)
    listed = {client.id: client.revoked_at for client in (await clients.list()).clients}
    assert listed == {first.id: now, second.id: None}
    assert clients.editors_may_decide()
    now += 2 * 86_400
    assert not clients.editors_may_decide()
    third = await clients.let_editors_decide(1)
    await clients.revoke(third.id)
    assert not clients.editors_may_decide()
    await database.close()
