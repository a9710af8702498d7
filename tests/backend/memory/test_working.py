import asyncio

import pytest

from hearth_backend.memory.working import Working
from hearth_shared.errors import NotFound
from hearth_shared.protocol.context import SeenRequest
from support.clock import Clock

pytestmark = pytest.mark.unit

PAGE = SeenRequest(surface="browser", kind="page", title="A", url="https://example.org/", text="words")


async def test_what_is_seen_is_listed_newest_first() -> None:
    working = Working(clock=Clock(5.0), ttl_s=10)
    page = working.put("person", "browser:1", "browser", PAGE, "ask")
    file = working.put("person", "editor", "editor", SeenRequest(surface="editor", kind="file", text="x"), "ask")
    assert working.list("person").seen == [file, page]
    assert (page.at, page.expires_at, page.consent, page.door) == (5.0, 15.0, "ask", "browser")
    working.close()


async def test_of_each_kind_a_surface_has_one_in_view() -> None:
    working = Working()
    first = working.put("person", "browser:1", "browser", PAGE, "ask")
    other = working.put("person", "browser:2", "browser", PAGE, "ask")
    second = working.put("person", "browser:1", "browser", PAGE.model_copy(update={"text": "new"}), "ask")
    assert working.list("person").seen == [second, other]
    with pytest.raises(NotFound):
        working.get("person", [first.id])
    working.close()


async def test_after_an_hour_it_is_gone() -> None:
    clock = Clock()
    working = Working(clock=clock)
    seen = working.put("person", "browser:1", "browser", PAGE, "ask")
    clock.pass_(3599)
    assert working.get("person", [seen.id, seen.id]) == [seen]
    clock.pass_(2)
    assert working.list("person").seen == []
    with pytest.raises(NotFound, match="held no more"):
        working.get("person", [seen.id])
    working.close()


async def test_it_goes_by_itself_and_no_timer_is_left() -> None:
    working = Working(ttl_s=0.01)
    working.put("person", "browser:1", "browser", PAGE, "ask")
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_later(0.05, done.set_result, None)
    await done
    assert working.held == 0
    assert not working.waits


async def test_somebody_elses_is_not_there() -> None:
    working = Working()
    seen = working.put("client:1", "client:1", "http", PAGE, "ask")
    assert working.list("person").seen == []
    with pytest.raises(NotFound):
        working.get("person", [seen.id])
    working.close()


async def test_there_is_room_for_so_much() -> None:
    working = Working()
    for number in range(100):
        working.put("person", f"browser:{number}", "browser", PAGE, "ask")
    assert len(working.list("person").seen) == 64
    for number in range(30):
        working.put("person", f"big:{number}", "browser", PAGE.model_copy(update={"text": "x" * 200_000}), "ask")
    assert sum(len(seen.text) for seen in working.list("person").seen) <= 4_000_000
    working.close()


async def test_what_the_person_says_no_to_is_dropped() -> None:
    working = Working()
    working.put("person", "browser:1", "browser", PAGE, "ask")
    working.forget(lambda seen: seen.url.startswith("https://example.org"))
    assert working.list("person").seen == []
    working.close()
