import asyncio

import pytest

from hearth_backend.api.connections import Connections, Live, watched

pytestmark = pytest.mark.unit


async def hold(connections: Connections, client: str, opened: asyncio.Event, *, endless: bool = True) -> Live:
    """Stay open until cut."""
    with connections.live(client, endless=endless) as live:
        opened.set()
        await asyncio.Event().wait()
    return live


async def held(connections: Connections, client: str, *, endless: bool = True) -> "asyncio.Task[Live]":
    opened = asyncio.Event()
    task = asyncio.create_task(hold(connections, client, opened, endless=endless))
    await opened.wait()
    return task


async def test_revoking_ends_what_that_client_has_open_and_nothing_else() -> None:
    connections = Connections()
    one, another, other = [await held(connections, client) for client in ("a", "a", "b")]
    connections.revoke("a")
    assert [(await one).ended, (await another).ended] == ["revoked", "revoked"]
    assert len(connections) == 1
    assert not other.done()
    connections.stop(endless_only=True)
    assert (await other).ended == "stopping"


async def test_a_stop_lets_work_that_ends_by_itself_go_on() -> None:
    connections = Connections()
    stream, work = await held(connections, ""), await held(connections, "", endless=False)
    connections.stop(endless_only=True)
    await stream
    assert not work.done()
    connections.stop(endless_only=False)
    assert (await work).ended == "stopping"


async def test_the_first_reason_counts() -> None:
    connections = Connections()
    task = await held(connections, "a")
    connections.revoke("a")
    connections.stop(endless_only=True)
    assert (await task).ended == "revoked"


async def test_a_cancellation_from_elsewhere_is_not_swallowed() -> None:
    task = await held(Connections(), "a")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_ended_by_itself_is_forgotten() -> None:
    connections = Connections()
    with connections.live("a", endless=True):
        pass
    assert len(connections) == 0


async def test_a_client_that_goes_ends_what_is_being_waited_for() -> None:
    gone = asyncio.Event()

    async def until_gone() -> None:
        await gone.wait()

    async def serve() -> Live:
        with Connections().live("a", endless=True) as live:
            async with watched(until_gone, live):
                gone.set()
                await asyncio.Event().wait()
        return live

    assert (await serve()).ended == "gone"
