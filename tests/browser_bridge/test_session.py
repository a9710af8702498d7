import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from hearth_bridge import limits
from hearth_bridge.server import Door
from hearth_bridge.session import NOT_A_FRAME, TOKEN_ENDED
from support.backend import Backend
from support.bridge import Browser, Paired, opened, pair

pytestmark = pytest.mark.integration


async def test_a_question_is_answered_and_its_events_come_once_each(browser: Browser) -> None:
    thread = (await browser.call("POST", "/v1/threads", {}))["body"]["id"]
    accepted = await browser.call("POST", f"/v1/threads/{thread}/messages", {"text": "What can you do?"})
    assert accepted["status"] == 202
    await browser.send(id=100, follow=f"/v1/tasks/{accepted['body']['task_id']}/events")
    assert await browser.want(id=100, end=True)
    events = browser.events(100)
    seqs = [event["seq"] for event in events]
    assert seqs == sorted(set(seqs))
    assert (events[0]["type"], events[-1]["type"]) == ("task.queued", "task.finished")
    assert {event["door"] for event in events} == {"browser"}


async def test_a_stream_goes_on_after_the_event_that_was_seen_last(browser: Browser) -> None:
    thread = (await browser.call("POST", "/v1/threads", {}))["body"]["id"]
    task = (await browser.call("POST", f"/v1/threads/{thread}/messages", {"text": "What can you do?"}))["body"][
        "task_id"
    ]
    await browser.send(id=100, follow=f"/v1/tasks/{task}/events")
    await browser.want(id=100, end=True)
    all_of_it = [event["seq"] for event in browser.events(100)]
    half = all_of_it[len(all_of_it) // 2]
    await browser.send(id=101, follow=f"/v1/tasks/{task}/events", after_seq=half)
    await browser.want(id=101, end=True)
    rest = [event["seq"] for event in browser.events(101)]
    assert rest == [seq for seq in all_of_it if seq > half]


async def test_the_same_message_sent_twice_with_one_key_is_one_message(browser: Browser) -> None:
    thread = (await browser.call("POST", "/v1/threads", {}))["body"]["id"]
    path, body = f"/v1/threads/{thread}/messages", {"text": "Remember that the gate code is 7."}
    one = await browser.call("POST", path, body, key="once")
    two = await browser.call("POST", path, body, key="once")
    assert one["body"]["task_id"] == two["body"]["task_id"]


async def test_whoever_is_there_answers_a_ping(browser: Browser) -> None:
    await browser.send(ping=7)
    assert await browser.want(pong=7)


async def test_what_is_not_open_to_a_browser_is_a_problem_and_the_connection_goes_on(browser: Browser) -> None:
    assert (await browser.call("GET", "/v1/settings"))["problem"]["code"] == "forbidden"
    assert (await browser.call("GET", "/v1/threads/thread_none"))["status"] == 404
    assert (await browser.call("POST", "/v1/threads", {"title": 7}))["status"] == 422
    assert (await browser.call("GET", "/v1/status"))["status"] == 200


async def test_an_id_serves_one_stream_at_a_time_and_is_free_again_after_it(browser: Browser) -> None:
    await browser.call("POST", "/v1/memory/episodes", {"episodes": [episode("one")]})
    await browser.send(id=500, follow="/v1/events")
    await browser.send(id=500, follow="/v1/events")
    assert (await browser.want(id=500))["problem"]["code"] == "bad_request"
    await browser.send(id=500, stop=True)
    await browser.send(id=500, follow="/v1/events", after_seq=0)
    assert (await browser.want(id=500))["events"]


async def test_streams_beyond_the_limit_are_refused(browser: Browser) -> None:
    for number in range(limits.STREAMS_AT_ONCE + 1):
        await browser.send(id=number, follow="/v1/events")
    refused = await browser.want(id=limits.STREAMS_AT_ONCE)
    assert refused["problem"]["code"] == "overloaded"


async def test_a_browser_that_asks_too_fast_is_told_so(
    door: Door, paired: Paired, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hearth_bridge.session.monotonic", lambda: 0.0)  # however slow this machine is now
    asked = int(limits.FRAMES_AT_ONCE) + 20
    async with opened(door.port, paired) as browser:
        for number in range(asked):
            await browser.send(id=number, method="GET", path="/v1/agents")
        problems = [frame["problem"]["code"] async for frame in answers(browser, asked) if "problem" in frame]
    assert problems.count("rate_limited") == 20


async def answers(browser: Browser, number: int) -> AsyncGenerator[dict[str, Any]]:
    for _ in range(number):
        yield json.loads(await browser.socket.recv())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": "1"}', '{"pair": {"code": "1", "name": "x"}}'])
async def test_what_is_no_frame_ends_the_connection(text: str, browser: Browser) -> None:
    await browser.socket.send(text)
    assert await browser.closed() == NOT_A_FRAME


async def test_a_frame_that_is_too_large_ends_the_connection(browser: Browser) -> None:
    await browser.socket.send('{"id": 1, "x": "' + "x" * limits.FRAME_BYTES + '"}')
    assert await browser.closed() == 1009


@pytest.mark.parametrize("listens", [True, False])
async def test_a_revoked_browser_is_cut_off_by_itself(listens: bool, house: Backend, door: Door) -> None:
    paired = pair(house, f"moz-extension://0c2f2d1e-7a39-4b6e-9c55-00000000000{int(listens)}")
    async with opened(door.port, paired) as browser:
        if listens:
            await browser.send(id=900, follow="/v1/events")
        assert (await browser.call("GET", "/v1/agents"))["status"] == 200
        assert house.door().delete(f"/v1/clients/{paired.id}").status_code == 200
        assert await browser.closed() == TOKEN_ENDED


async def test_a_token_that_was_never_good_is_told_apart_from_a_bridge_that_is_not_there(
    door: Door, paired: Paired
) -> None:
    wrong = Paired(paired.id, "hth_00_nobody", paired.origin)
    async with opened(door.port, wrong) as browser:
        assert await browser.closed() == TOKEN_ENDED


async def test_a_good_token_from_another_browser_is_none(door: Door, house: Backend) -> None:
    firefox = pair(house, "moz-extension://0c2f2d1e-7a39-4b6e-9c55-3d5f1f0a8e11")
    stolen = Paired(firefox.id, firefox.token, "moz-extension://99999999-7a39-4b6e-9c55-3d5f1f0a8e11")
    async with opened(door.port, stolen) as browser:
        assert await browser.closed() == TOKEN_ENDED
    async with opened(door.port, firefox) as browser:
        assert (await browser.call("GET", "/v1/agents"))["status"] == 200


async def test_a_browser_that_reads_slowly_loses_nothing(door: Door, paired: Paired) -> None:
    async with opened(door.port, paired, max_queue=1, write_limit=1024) as slow, opened(door.port, paired) as other:
        await slow.send(id=1, follow="/v1/events", after_seq=0)
        stored: list[str] = []
        for number in range(40):
            batch = [episode(f"{number}.{n} " + "x" * 200) for n in range(5)]
            stored += (await other.call("POST", "/v1/memory/episodes", {"episodes": batch}))["body"]["ids"]
        seen: list[str] = []
        while stored[-1] not in seen:
            for event in (await slow.want(id=1))["events"]:
                seen += [id for id in event["data"].get("ids", []) if id in stored]
        assert seen == stored
        assert len(set(seen)) == 200


def episode(text: str) -> dict[str, str]:
    return {"external_id": text[:40], "source": "test", "occurred_at": "2026-01-05T09:00:00Z", "text": text}
