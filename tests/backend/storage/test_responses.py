from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth
from hearth_backend.storage.responses import KEEP_S, KeptResponse, Responses
from hearth_shared.errors import BadRequest, NotFound

pytestmark = pytest.mark.integration


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def responses(tmp_path: Path, clock: Clock) -> AsyncIterator[Responses]:
    database = Database(tmp_path / "hearth.db", hearth.MIGRATIONS)
    yield Responses(database, clock=clock)
    await database.close()


def turn(id: str, previous: str | None = None) -> KeptResponse:
    return KeptResponse(id, previous, [{"role": "user", "content": id}], {"id": id, "output": [{"of": id}]})


async def test_a_conversation_is_its_turns_in_order(responses: Responses) -> None:
    await responses.keep("a", turn("1"))
    await responses.keep("a", turn("2", "1"))
    assert await responses.conversation("a", "2") == [
        {"role": "user", "content": "1"},
        {"of": "1"},
        {"role": "user", "content": "2"},
        {"of": "2"},
    ]


async def test_anothers_is_not_there(responses: Responses) -> None:
    await responses.keep("a", turn("1"))
    for ask in (responses.get, responses.remove, responses.conversation):
        with pytest.raises(NotFound):
            await ask("b", "1")
    assert (await responses.get("a", "1")).id == "1"


async def test_after_thirty_days_it_is_not_told_and_with_the_next_it_goes(responses: Responses, clock: Clock) -> None:
    await responses.keep("a", turn("1"))
    clock.now += KEEP_S + 1
    with pytest.raises(NotFound):
        await responses.get("a", "1")
    await responses.keep("a", turn("2"))
    clock.now = 1000.0
    with pytest.raises(NotFound):
        await responses.get("a", "1")


async def test_a_conversation_that_goes_in_a_circle_is_refused(responses: Responses) -> None:
    await responses.keep("a", turn("1", "2"))
    await responses.keep("a", turn("2", "1"))
    with pytest.raises(BadRequest, match="Begin anew"):
        await responses.conversation("a", "1")
