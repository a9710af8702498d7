import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest

from hearth_backend.orchestrator.hook import verify
from hearth_backend.orchestrator.webhooks import Webhooks
from hearth_shared.errors import BadRequest, Forbidden
from hearth_shared.protocol.tasks import Delivery, TaskAccepted, TaskRequest
from hearth_shared.settings import Webhooks as Settings
from support.orchestra import AGENT, ME, Orchestra, say_ok
from support.sink import Sink, sink

pytestmark = pytest.mark.integration
LOG = "hearth_backend.orchestrator.webhooks"


@asynccontextmanager
async def telling(
    band: Orchestra, *, allow: Sequence[str] = ("127.0.0.1",), own: Sequence[int] = (), leads: str = "127.0.0.1"
) -> AsyncGenerator[tuple[Webhooks, list[str]]]:
    """Webhooks whose names all lead to one address, and the names that were looked up."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return [leads]

    settings = Settings(allow=[*allow], attempts=3)
    hooks = Webhooks(
        band.database, band.runs.store, settings, own_ports=lambda: own, resolve=resolve, clock=band.clock,
        dice=lambda: 0.5,
    )  # fmt: skip
    async with hooks, band.working(say_ok):
        yield hooks, asked


async def submit(band: Orchestra, url: str) -> TaskAccepted:
    return await band.runs.submit(ME, AGENT, TaskRequest(goal="go", webhook_url=url))


async def settled(band: Orchestra, task_id: str, attempts: int) -> Delivery:
    """How far its word has got, after so many attempts."""
    await band.story(task_id)
    while True:
        found = (await band.runs.get(ME, task_id)).webhook
        assert found is not None
        if found.attempts >= attempts:
            return found
        await band.database.write(lambda _: None)


def url_of(there: Sink, host: str = "127.0.0.1") -> str:
    return f"http://{host}:{there.port}/done?x=1"


async def test_the_end_of_a_task_is_told_signed(band: Orchestra) -> None:
    async with sink() as there, telling(band):
        accepted = await submit(band, url_of(there))
        await there.until(1)
        told = await settled(band, accepted.task_id, 1)
    (hit,) = there.hits
    assert hit.path == "/done?x=1"
    assert accepted.webhook_secret
    assert verify(accepted.webhook_secret, hit.headers["hearth-signature"], hit.body, band.clock())
    body = json.loads(hit.body)
    assert (body["type"], body["task"]["id"], body["task"]["answer"]["text"]) == (
        "task.finished",
        accepted.task_id,
        "ok",
    )
    assert (told.state, told.attempts, told.problem) == ("delivered", 1, "")
    assert accepted.webhook_secret not in hit.body.decode()


async def test_a_name_is_looked_up_once_and_dialled_by_the_address_that_was_looked_at(band: Orchestra) -> None:
    async with sink() as there, telling(band, allow=["hooks.test"]) as (_, asked):
        await submit(band, url_of(there, "hooks.test"))
        await there.until(1)
    assert asked == ["hooks.test"]
    assert there.hits[0].headers["host"] == f"hooks.test:{there.port}"


@pytest.mark.logs(LOG)
async def test_what_is_not_taken_is_told_again_later_and_then_laid_aside(band: Orchestra) -> None:
    async with sink(500, 0, 302) as there, telling(band) as (hooks, _):
        accepted = await submit(band, url_of(there))
        for attempt in (1, 2, 3):
            told = await settled(band, accepted.task_id, attempt)
            assert told.state == ("due" if attempt < 3 else "dead")
            if told.next_at is not None:
                assert told.next_at - band.clock() == pytest.approx(5 * 4 ** (attempt - 1))
                band.clock.pass_(told.next_at - band.clock())
                hooks.wake()
        assert told.problem == "it answered with status 302"
        there.statuses[:] = [204]
        await band.runs.retry(ME, accepted.task_id)
        assert (await settled(band, accepted.task_id, 1)).state == "delivered"
    assert len(there.hits) == 4


@pytest.mark.logs(LOG)
@pytest.mark.parametrize(("allow", "own"), [((), False), (("127.0.0.1",), True)])
async def test_a_webhook_into_this_machine_or_back_to_hearth_is_refused(
    band: Orchestra, allow: Sequence[str], own: bool
) -> None:
    async with sink() as there, telling(band, allow=allow, own=[there.port] if own else []) as (hooks, _):
        with pytest.raises(Forbidden):
            hooks.check(url_of(there))
        accepted = await submit(band, url_of(there, "innocent.test"))
        told = await settled(band, accepted.task_id, 1)
        assert ("leads back to Hearth" if own else "not on the public internet") in told.problem
    assert there.hits == []


async def test_an_address_that_is_none_is_refused_at_once(band: Orchestra) -> None:
    async with telling(band) as (hooks, _):
        with pytest.raises(BadRequest):
            hooks.check("ftp://a.test/")
        hooks.check("https://a.test/")
