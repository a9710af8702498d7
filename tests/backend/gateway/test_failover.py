"""The fault matrix: every fault × text and tools × streamed and whole × what the settings say about broken answers."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio

from hearth_backend.api.compat import chat
from hearth_backend.api.model_answer import gathered
from hearth_backend.gateway.failover import passes
from hearth_backend.gateway.gateway import Gateway
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    ChatRequest,
    Chosen,
    Finished,
    Provider,
    Restart,
    ToolCallDelta,
)
from hearth_backend.gateway.openai_compatible import OpenAICompatible
from hearth_backend.gateway.stream import Patience
from hearth_shared.errors import BadRequest, DeadlineExceeded, HearthError, IncompleteAnswer, ModelUnavailable
from hearth_shared.settings import Models as Policy
from hearth_shared.settings import Provider as ProviderSettings
from support import provider as server_that
from support.faults import BEGUN, MIDDLE, OPENING, SILENT
from support.gateways import (
    CALLER,
    CALM,
    HASTY,
    HELLO,
    Bench,
    KeyRing,
    collected,
    gateway_over,
    provider_of,
    text_of,
)
from support.provider import ModelServer, model_server, tool_call, words

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

Mending = Literal["restart", "continue", "stop"]
WHOLE, ARGUMENTS = "fallback ok", '{"path": "notes"}'
FAULTS = {**OPENING, **MIDDLE}
MENDINGS: tuple[Mending, ...] = ("restart", "continue", "stop")
AT_ONCE = frozenset({"less promised than sent", "reset", "stall"})
"""Of these it is not certain how much is read before the end."""
IN_PRIVATE = Caller(request_id="req_2", door="cli", local_only=True)


# What ends a silence, and nothing that only a slow machine makes long.
PATIENCE = {"": CALM, "slow first byte": HASTY, "stall": replace(CALM, gap_s=HASTY.gap_s)}


@dataclass
class House:
    """Gateways over a server that fails and one that does not; the only cloud is a sink, which nothing may reach."""

    bad: ModelServer
    good: ModelServer
    sink: ModelServer
    benches: dict[tuple[str, str], Bench]

    def fails(self, fault: str, tools: bool, mending: Mending | Literal["private"] = "restart") -> Gateway:
        """The gateway over a server that fails so; what it left alone before is asked again."""
        for server, behaviour in (
            (self.bad, FAULTS[fault](tools)),
            (self.good, tool_call("t", ARGUMENTS[:9], ARGUMENTS[9:]) if tools else words("fallback ", "ok")),
        ):
            server.behaviours[:] = [behaviour]
            server.requests.clear()
        bench = self.benches[mending, fault if fault in SILENT else ""]
        bench.clock.pass_(1000)
        return bench.gateway


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    async with AsyncExitStack() as stack:
        bad, good, sink = [await stack.enter_async_context(model_server()) for _ in range(3)]

        async def bench(policy: Policy, *others: Provider, patience: Patience) -> Bench:
            cloud = provider_of(sink, "cloud", where="cloud", model="m", keys=KeyRing(cloud="k"))
            near = provider_of(bad, "bad", patience=patience)
            folder = tmp_path_factory.mktemp("gateway")
            return await stack.enter_async_context(gateway_over(folder, near, *others, cloud, policy=policy))

        benches: dict[tuple[str, str], Bench] = {}
        for silence, patience in PATIENCE.items():
            for mending in MENDINGS:
                other, policy = provider_of(good, "good"), Policy(broken_off=mending)
                benches[mending, silence] = await bench(policy, other, patience=patience)
            benches["private", silence] = await bench(Policy(), patience=patience)
        yield House(bad, good, sink, benches)


def seen(events: Sequence[ChatEvent]) -> tuple[str, str, bool]:
    """The text and the arguments that count, and whether they are said to be whole."""
    last = max((at for at, event in enumerate(events) if isinstance(event, Restart)), default=-1)
    counting = events[last + 1 :]
    arguments = "".join(event.arguments for event in counting if isinstance(event, ToolCallDelta))
    return text_of(counting), arguments, isinstance(events[-1], Finished)


def seams(events: Sequence[ChatEvent]) -> list[Chosen]:
    """Where another went on."""
    return [event for event in events if isinstance(event, Chosen) and event.seam]


async def told(events: AsyncGenerator[ChatEvent]) -> tuple[list[ChatEvent], HearthError | None]:
    """What came, and how it ended otherwise."""
    came: list[ChatEvent] = []
    try:
        async for event in events:
            came.append(event)
    except HearthError as error:
        return came, error
    return came, None


async def streamed(events: AsyncGenerator[ChatEvent]) -> tuple[str, str, bool]:
    """The text and the arguments that a client of OpenAI's door reads, and whether it is told that they are whole."""
    text, arguments, whole = "", "", False
    try:
        async for piece in chat.chunks("c", 1, events, tells_usage=False):
            data = piece.decode().removeprefix("data: ").strip()
            whole = data == "[DONE]"
            chunk: Any = {} if whole else json.loads(data)
            for choice in chunk.get("choices", ()):
                text += choice["delta"].get("content") or ""
                for call in choice["delta"].get("tool_calls", ()):
                    arguments += call["function"]["arguments"]
    except HearthError:
        assert not whole
    return text, arguments, whole


KINDS = pytest.mark.parametrize("tools", [False, True], ids=["text", "tools"])


@KINDS
@pytest.mark.parametrize("fault", FAULTS)
async def test_another_answers_whole_from_its_beginning(house: House, fault: str, tools: bool) -> None:
    events, error = await told(house.fails(fault, tools).chat(HELLO, CALLER))
    assert error is None
    assert seen(events) == (("", ARGUMENTS, True) if tools else (WHOLE, "", True))
    assert not seams(events)
    assert (len(house.bad.calls), len(house.good.calls)) == (1, 1)


@KINDS
@pytest.mark.parametrize("fault", FAULTS)
async def test_who_does_not_stream_gets_the_whole_one(house: House, fault: str, tools: bool) -> None:
    answer = await gathered(house.fails(fault, tools).chat(HELLO, CALLER))
    calls = [call.arguments for call in answer.tool_calls]
    assert (answer.text, calls) == (("", [ARGUMENTS]) if tools else (WHOLE, []))
    assert (len(house.bad.calls), len(house.good.calls)) == (1, 1)


@pytest.mark.parametrize("mending", MENDINGS)
@KINDS
@pytest.mark.parametrize("fault", FAULTS)
async def test_no_client_is_told_that_a_cut_answer_is_whole(
    house: House, fault: str, tools: bool, mending: Mending
) -> None:
    text, arguments, whole = await streamed(house.fails(fault, tools, mending).chat(HELLO, CALLER))
    if whole and mending == "continue" and not tools:
        assert text.endswith(WHOLE)
        assert BEGUN.startswith(text.removesuffix(WHOLE))
    elif whole:
        assert (text, arguments) == (("", ARGUMENTS) if tools else (WHOLE, ""))
    else:
        assert fault in MIDDLE
    assert max(len(house.bad.calls), len(house.good.calls)) <= 1


@pytest.mark.parametrize("fault", MIDDLE)
async def test_another_goes_on_where_the_first_broke_off(house: House, fault: str) -> None:
    events = await collected(house.fails(fault, False, "continue").chat(HELLO, CALLER))
    before = text_of(events).removesuffix(WHOLE)
    assert before == BEGUN or (fault in AT_ONCE and BEGUN.startswith(before))
    (call,) = house.good.calls
    if not before:  # nothing was read of it: there is nothing to go on from
        assert not seams(events)
        return
    (seam,) = seams(events)
    assert not any(isinstance(event, Restart) for event in events)
    assert (seam.instead_of, seam.provider, bool(seam.because)) == ("bad/m", "good", True)
    assert [one["role"] for one in call.body["messages"]] == ["user", "assistant", "user"]
    assert call.body["messages"][1]["content"] == before


@pytest.mark.parametrize("fault", MIDDLE)
async def test_a_turn_that_calls_tools_is_never_gone_on_from(house: House, fault: str) -> None:
    events = await collected(house.fails(fault, True, "continue").chat(HELLO, CALLER))
    assert seen(events) == ("", ARGUMENTS, True)
    assert not seams(events)
    assert len(house.good.calls[0].body["messages"]) == 1


async def test_an_answer_that_is_bound_to_a_form_begins_again(house: House) -> None:
    asked = ChatRequest(HELLO.messages, response_format={"type": "json_object"})
    events = await collected(house.fails("malformed event", False, "continue").chat(asked, CALLER))
    assert text_of(events) == WHOLE
    assert any(isinstance(event, Restart) for event in events)


@pytest.mark.parametrize("fault", MIDDLE)
async def test_where_the_settings_say_stop_nobody_else_goes_on(house: House, fault: str) -> None:
    events, error = await told(house.fails(fault, False, "stop").chat(HELLO, CALLER))
    if error is None:  # nothing was seen yet
        assert (fault in AT_ONCE, text_of(events)) == (True, WHOLE)
        return
    before = text_of(events)
    assert before == BEGUN or (fault in AT_ONCE and BEGUN.startswith(before))
    assert house.good.calls == []


@KINDS
@pytest.mark.parametrize("fault", FAULTS)
async def test_what_must_not_leave_never_reaches_the_cloud(house: House, fault: str, tools: bool) -> None:
    events, error = await told(house.fails(fault, tools, "private").chat(HELLO, IN_PRIVATE))
    assert error is not None
    assert not any(isinstance(event, Finished) for event in events)
    assert 1 <= len(house.bad.calls) <= 2
    assert house.sink.connections == 0


async def test_every_call_stands_in_the_ledger(house: House) -> None:
    await collected(house.fails("malformed event", False, "continue").chat(HELLO, CALLER))
    rows = (await house.benches["continue", ""].usage.list()).rows
    assert [(row.provider, row.ok, row.instead_of) for row in rows[:2]] == [("good", True, "bad/m"), ("bad", False, "")]
    assert rows[0].because


async def _speaks_no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 X\r\n\r\n")
    writer.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_server_that_cannot_be_spoken_to_is_passed_over(house: House, tmp_path: Path, scheme: str) -> None:
    plain = await asyncio.start_server(_speaks_no_tls, "127.0.0.1", 0)
    async with plain:
        port = plain.sockets[0].getsockname()[1] if scheme == "https" else 1  # on port 1 nobody listens
        settings = ProviderSettings(url=f"{scheme}://127.0.0.1:{port}/v1", where="this machine", model="m")
        away = OpenAICompatible("away", settings, KeyRing())
        house.good.behaviours[:] = [words("fallback ", "ok")]
        async with gateway_over(tmp_path, away, provider_of(house.good, "good")) as bench:
            with pytest.raises(ModelUnavailable, match="cannot be reached"):
                await collected(bench.gateway.chat(ChatRequest(HELLO.messages, "away/m"), CALLER))
            assert text_of(await collected(bench.gateway.chat(HELLO, CALLER))) == WHOLE


# -- one layer of retries


async def test_of_ten_calls_one_may_be_tried_twice(tmp_path: Path) -> None:
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)

    async with (
        model_server(server_that.refuses(500)) as bad,
        gateway_over(tmp_path, provider_of(bad), nap=nap) as bench,
    ):
        for _ in range(30):
            bench.clock.pass_(1000)
            with pytest.raises(ModelUnavailable):
                await collected(bench.gateway.chat(HELLO, CALLER))
        assert (len(bad.calls), len(naps)) == (33, 3)
    assert all(0 < seconds < 1 for seconds in naps)


async def test_a_second_try_takes_back_what_the_first_said(tmp_path: Path) -> None:
    async with (
        model_server(words("ok")) as server,
        gateway_over(tmp_path, provider_of(server), nap=_no_nap) as bench,
    ):
        for _ in range(9):
            await collected(bench.gateway.chat(HELLO, CALLER))
        server.requests.clear()
        server.behaviours[:] = [server_that.cut_off("half", orderly=True), words("whole")]
        events = await collected(bench.gateway.chat(HELLO, CALLER))
    assert seen(events) == ("whole", "", True)
    assert len(server.calls) == 2


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ModelUnavailable("refused"), True),
        (ModelUnavailable("500", server_status=500), True),
        (IncompleteAnswer("cut"), True),
        (ModelUnavailable("401", server_status=401), False),
        (ModelUnavailable("429", server_status=429, retry_after=1.0), False),
        (ModelUnavailable("too slow", timed_out=True), False),
        (ModelUnavailable("left alone", skipped=True), False),
        (BadRequest("no such field"), False),
    ],
)
async def test_only_what_may_pass_is_tried_twice(error: HearthError, again: bool) -> None:
    assert passes(error) is again


async def test_nobody_is_asked_when_nobody_waits_any_more(tmp_path: Path) -> None:
    async with model_server() as server, gateway_over(tmp_path, provider_of(server)) as bench:
        late = replace(CALLER, deadline=bench.clock())
        with pytest.raises(DeadlineExceeded):
            await collected(bench.gateway.chat(HELLO, late))
    assert server.calls == []


async def test_a_server_is_waited_for_no_longer_than_the_caller_waits(tmp_path: Path) -> None:
    async with (
        model_server(server_that.never_answers()) as server,
        gateway_over(tmp_path, provider_of(server)) as bench,
    ):
        soon = replace(CALLER, deadline=time.monotonic() + 0.5)
        with pytest.raises((ModelUnavailable, DeadlineExceeded)):
            await collected(bench.gateway.chat(HELLO, soon))


async def _no_nap(seconds: float) -> None:
    pass
