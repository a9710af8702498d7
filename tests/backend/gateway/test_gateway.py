import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from hearth_backend.gateway.messages import (
    Caller,
    ChatMessage,
    ChatRequest,
    Chosen,
    CompletionRequest,
    Finished,
    Restart,
    TextDelta,
)
from hearth_shared.errors import (
    BadRequest,
    HearthError,
    IncompleteAnswer,
    LocalOnly,
    ModelFailed,
    ModelUnavailable,
    NoModel,
    NotFound,
)
from hearth_shared.settings import Models as Policy
from support import provider as server_that
from support.gateways import CALLER, CALM, HASTY, HELLO, KeyRing, collected, gateway_over, provider_of, text_of
from support.provider import Behaviour, model_server, words

pytestmark = pytest.mark.integration

SILENT = (server_that.never_answers(), server_that.stalls())
IN_PRIVATE = Caller(request_id="req_2", door="cli", local_only=True)


@pytest.mark.parametrize(
    "fault",
    [
        server_that.refuses(429, retry_after="3600"),
        server_that.refuses(500),
        server_that.refuses(401),
        server_that.refuses(400),
        server_that.html(),
        SILENT[0],
        server_that.says({"error": {"message": "overloaded"}}),
    ],
    ids=["429", "500", "401", "400", "HTML", "silence", "error event"],
)
async def test_the_second_model_answers_when_the_first_does_not_begin(fault: Behaviour, tmp_path: Path) -> None:
    patience = HASTY if fault in SILENT else CALM
    async with (
        model_server(fault) as bad,
        model_server() as good,
        gateway_over(tmp_path, provider_of(bad, "bad", patience=patience), provider_of(good, "good")) as bench,
    ):
        events = await collected(bench.gateway.chat(HELLO, CALLER))
        rows = await bench.rows()
    assert text_of(events) == "fallback ok"
    assert not any(isinstance(event, Restart) for event in events)
    assert isinstance(events[0], Chosen)
    assert (events[0].provider, events[0].instead_of) == ("good", "bad/m")
    assert events[0].because
    assert len(bad.calls) == 1
    assert [(row.provider, row.ok) for row in rows] == [("bad", False), ("good", True)]


@pytest.mark.parametrize(
    "fault",
    [
        server_that.cut_off(orderly=True),
        server_that.cut_off(orderly=False),
        SILENT[1],
        server_that.says({"choices": [{"delta": {"content": "one "}}]}, "{not json"),
        server_that.says({"choices": [{"delta": {"content": "one "}}]}, {"error": {"message": "busy"}}),
        server_that.tool_call("t", '{"path": "/home', finish="length"),
    ],
    ids=["close", "reset", "stall", "bad JSON", "error event", "cut tool call"],
)
async def test_the_second_model_begins_again_when_the_first_breaks_off(fault: Behaviour, tmp_path: Path) -> None:
    patience = replace(CALM, gap_s=HASTY.gap_s) if fault in SILENT else CALM
    async with (
        model_server(fault) as bad,
        model_server() as good,
        gateway_over(tmp_path, provider_of(bad, "bad", patience=patience), provider_of(good, "good")) as bench,
    ):
        events = await collected(bench.gateway.chat(HELLO, CALLER))
    restart = next(at for at, event in enumerate(events) if isinstance(event, Restart))
    assert isinstance(events[restart + 1], Chosen)
    assert text_of(events) == "fallback ok"
    assert isinstance(events[-1], Finished)


async def test_an_answer_that_breaks_off_with_nobody_left_ends_in_an_error(tmp_path: Path) -> None:
    async with (
        model_server(server_that.cut_off("one ", orderly=True)) as bad,
        gateway_over(tmp_path, provider_of(bad)) as bench,
    ):
        events = bench.gateway.chat(HELLO, CALLER)
        seen = [await anext(events), await anext(events)]
        with pytest.raises(IncompleteAnswer):
            await anext(events)
        rows = await bench.rows()
    assert seen[1:] == [TextDelta("one ")]
    assert (rows[0].ok, rows[0].error, rows[0].output_tokens, rows[0].cost) == (False, "incomplete_answer", 1, 0.0)


async def test_when_all_fail_the_person_hears_of_each(tmp_path: Path) -> None:
    async with (
        model_server(server_that.refuses(500, "boom")) as one,
        model_server(server_that.refuses(401)) as two,
        gateway_over(tmp_path, provider_of(one, "one"), provider_of(two, "two")) as bench,
    ):
        with pytest.raises(ModelUnavailable) as raised:
            await collected(bench.gateway.chat(HELLO, CALLER))
    assert "one answered 500" in raised.value.detail
    assert "two answered 401" in raised.value.detail
    assert raised.value.fix == "Set its key with `hearth keys set two`."


async def test_a_request_nobody_will_ever_take_is_the_callers_fault(tmp_path: Path) -> None:
    async with model_server(server_that.refuses(400)) as server, gateway_over(tmp_path, provider_of(server)) as bench:
        with pytest.raises(BadRequest):
            await collected(bench.gateway.chat(HELLO, CALLER))


async def test_a_model_that_keeps_failing_is_left_alone_and_then_tried_once(tmp_path: Path) -> None:
    async with (
        model_server(server_that.refuses(500)) as bad,
        model_server() as good,
        gateway_over(tmp_path, provider_of(bad, "bad"), provider_of(good, "good")) as bench,
    ):
        for _ in range(8):
            assert text_of(await collected(bench.gateway.chat(HELLO, CALLER))) == "fallback ok"
        assert len(bad.calls) == 5
        bad.behaviours[:] = [words("back")]
        bench.clock.pass_(31)
        assert text_of(await collected(bench.gateway.chat(HELLO, CALLER))) == "back"


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_mistake_of_ours_does_not_count_against_the_model(status: int, tmp_path: Path) -> None:
    async with (
        model_server(server_that.refuses(status)) as server,
        gateway_over(tmp_path, provider_of(server)) as bench,
    ):
        for _ in range(7):
            with pytest.raises(HearthError):
                await collected(bench.gateway.chat(HELLO, CALLER))
        assert len(server.calls) == 7


async def test_a_cancelled_probe_does_not_lock_the_model_out(tmp_path: Path) -> None:
    async with model_server(server_that.refuses(500)) as server, gateway_over(tmp_path, provider_of(server)) as bench:
        for _ in range(5):
            with pytest.raises(ModelUnavailable):
                await collected(bench.gateway.chat(HELLO, CALLER))
        server.behaviours[:] = [server_that.stalls(), words("back")]
        bench.clock.pass_(31)
        async with aclosing(bench.gateway.chat(HELLO, CALLER)) as events:
            await anext(events)
        assert text_of(await collected(bench.gateway.chat(HELLO, CALLER))) == "back"


async def test_a_server_that_asks_for_rest_is_not_asked_meanwhile(tmp_path: Path) -> None:
    async with (
        model_server(server_that.refuses(429, retry_after="20"), words("back")) as server,
        gateway_over(tmp_path, provider_of(server)) as bench,
    ):
        for _ in range(2):
            with pytest.raises(ModelUnavailable):
                await collected(bench.gateway.chat(HELLO, CALLER))
        assert len(server.calls) == 1
        bench.clock.pass_(20)
        assert text_of(await collected(bench.gateway.chat(HELLO, CALLER))) == "back"


async def test_cancelling_hangs_up_and_leaves_a_row(tmp_path: Path) -> None:
    async with model_server(server_that.stalls()) as server, gateway_over(tmp_path, provider_of(server)) as bench:
        begun = asyncio.Event()

        async def ask() -> None:
            async for _ in bench.gateway.chat(HELLO, CALLER):
                begun.set()

        asking = asyncio.create_task(ask())
        await begun.wait()
        asking.cancel()
        await asyncio.wait([asking])
        async with asyncio.timeout(60):
            await server.hung_up.wait()
        rows = await bench.rows()
    assert [(row.ok, row.error) for row in rows] == [(False, "cancelled")]


async def test_what_must_not_leave_is_never_sent_to_the_cloud(tmp_path: Path) -> None:
    async with (
        model_server() as cloud,
        gateway_over(tmp_path, provider_of(cloud, where="cloud", keys=KeyRing(p="k"))) as bench,
    ):
        for model in (None, "auto", "p/m", "m"):
            with pytest.raises(LocalOnly):
                await collected(bench.gateway.chat(ChatRequest(HELLO.messages, model), IN_PRIVATE))
            with pytest.raises(HearthError):
                await collected(bench.gateway.complete(CompletionRequest("x", model=model), IN_PRIVATE))
            with pytest.raises(HearthError):
                await bench.gateway.embed(["x"], model, IN_PRIVATE)
        assert not await bench.gateway.has("chat", local_only=True)
    assert cloud.connections == 0


async def test_what_must_not_leave_is_not_sent_on_when_this_machine_fails(tmp_path: Path) -> None:
    async with (
        model_server(server_that.cut_off(orderly=True)) as here,
        model_server() as there,
        model_server() as cloud,
        gateway_over(
            tmp_path,
            provider_of(here, "here"),
            provider_of(there, "there", where="another machine"),
            provider_of(cloud, "cloud", where="cloud", keys=KeyRing(cloud="k")),
        ) as bench,
    ):
        with pytest.raises(ModelFailed):
            await collected(bench.gateway.chat(HELLO, IN_PRIVATE))
    assert (there.connections, cloud.connections) == (0, 0)


@pytest.mark.parametrize(
    ("key", "ok", "said"),
    [("right", True, "its models: 1."), ("wrong", False, "answered 401"), ("", False, "There is no key for p.")],
)
async def test_a_key_is_tried_on_its_provider(tmp_path: Path, key: str, ok: bool, said: str) -> None:
    keys = KeyRing(p=key) if key else KeyRing()
    async with model_server() as cloud:
        cloud.key = "right"
        async with gateway_over(tmp_path, provider_of(cloud, where="cloud", model="m", keys=keys)) as bench:
            told = await bench.gateway.try_key("p")
            with pytest.raises(NotFound):
                await bench.gateway.try_key("nobody")
    assert (told.provider, told.ok) == ("p", ok)
    assert said in told.detail
    assert ok or "hearth keys set p" in told.fix


async def test_no_key_is_tried_where_the_cloud_is_never_asked(tmp_path: Path) -> None:
    async with model_server() as cloud:
        provider = provider_of(cloud, where="cloud", keys=KeyRing(p="k"))
        async with gateway_over(tmp_path, provider, policy=Policy(cloud="never")) as bench:
            told = await bench.gateway.try_key("p")
    assert (told.ok, cloud.connections) == (False, 0)
    assert "models.cloud" in told.detail


async def test_the_cloud_is_never_asked_when_the_settings_say_so(tmp_path: Path) -> None:
    async with (
        model_server() as cloud,
        gateway_over(
            tmp_path, provider_of(cloud, where="cloud", keys=KeyRing(p="k")), policy=Policy(cloud="never")
        ) as bench,
    ):
        with pytest.raises(NoModel):
            await collected(bench.gateway.chat(HELLO, CALLER))
        with pytest.raises(NoModel):
            await collected(bench.gateway.chat(ChatRequest(HELLO.messages, "p/m"), CALLER))
        assert await bench.gateway.models() == []
    assert cloud.connections == 0


async def test_the_cloud_is_not_even_listed_while_this_machine_answers(tmp_path: Path) -> None:
    async with (
        model_server() as here,
        model_server() as cloud,
        gateway_over(
            tmp_path, provider_of(cloud, "cloud", where="cloud", keys=KeyRing(cloud="k")), provider_of(here, "here")
        ) as bench,
    ):
        await collected(bench.gateway.chat(HELLO, CALLER))
    assert (len(here.calls), cloud.connections) == (1, 0)


async def test_the_cloud_sees_marks_and_the_person_sees_the_words(tmp_path: Path) -> None:
    said = "Write to marie.dupont@example.org at once."
    async with (
        model_server(server_that.echo()) as cloud,
        gateway_over(tmp_path, provider_of(cloud, where="cloud", model="m", keys=KeyRing(p="k"))) as bench,
    ):
        events = await collected(bench.gateway.chat(ChatRequest([ChatMessage("user", said)]), CALLER))
    assert cloud.calls[0].body["messages"][0]["content"] == "Write to <EMAIL_1> at once."
    assert text_of(events) == said


async def test_a_tool_call_from_the_cloud_gets_its_values_back(tmp_path: Path) -> None:
    asked = ChatRequest([ChatMessage("user", "Who is marie@example.org?")])
    async with (
        model_server(server_that.tool_call("recall", '{"question": "<EMA', 'IL_1>"}')) as cloud,
        gateway_over(tmp_path, provider_of(cloud, where="cloud", model="m", keys=KeyRing(p="k"))) as bench,
    ):
        events = await collected(bench.gateway.chat(asked, CALLER))
    assert "".join(getattr(event, "arguments", "") for event in events) == '{"question": "marie@example.org"}'


async def test_this_machine_sees_the_words_themselves(tmp_path: Path) -> None:
    asked = ChatRequest([ChatMessage("user", "I am marie@example.org")])
    async with model_server() as here, gateway_over(tmp_path, provider_of(here)) as bench:
        await collected(bench.gateway.chat(asked, CALLER))
    assert here.calls[0].body["messages"][0]["content"] == "I am marie@example.org"


async def test_every_call_leaves_a_row_with_what_it_took(tmp_path: Path) -> None:
    async with model_server() as server, gateway_over(tmp_path, provider_of(server)) as bench:
        events = await collected(bench.gateway.chat(HELLO, CALLER))
        (row,) = await bench.rows()
        exposed = bench.metrics.render().decode()
    assert (row.request_id, row.run_id, row.door, row.role) == ("req_1", "run_1", "cli", "chat")
    assert (row.model, row.provider, row.where) == ("m", "p", "this machine")
    assert (row.input_tokens, row.output_tokens, row.cost, row.ok) == (7, 3, 0.0, True)
    assert row.first_ms is not None
    assert row.first_ms <= row.ms
    assert isinstance(events[-1], Finished)
    assert events[-1].cost == 0.0
    assert 'agent_token_usage{direction="input",model="m"} 7.0' in exposed


async def test_a_price_of_the_settings_counts(tmp_path: Path) -> None:
    async with model_server() as server:
        keys = KeyRing(p="k")
        priced = provider_of(server, where="cloud", model="m", keys=keys, input_price=1, output_price=10)
        async with gateway_over(tmp_path, priced) as bench:
            await collected(bench.gateway.chat(HELLO, CALLER))
            (row,) = await bench.rows()
    assert row.cost == pytest.approx((7 + 30) / 1e6)


async def test_a_price_nobody_knows_is_not_nothing(tmp_path: Path) -> None:
    async with (
        model_server() as server,
        gateway_over(tmp_path, provider_of(server, where="cloud", model="m", keys=KeyRing(p="k"))) as bench,
    ):
        events = await collected(bench.gateway.chat(HELLO, CALLER))
        (row,) = await bench.rows()
    assert row.cost is None
    assert isinstance(events[-1], Finished)
    assert events[-1].cost is None


async def test_vectors_are_metered_too(tmp_path: Path) -> None:
    async with (
        model_server(server_that.vectors((3, 4)), models=["embed-x"]) as server,
        gateway_over(tmp_path, provider_of(server)) as bench,
    ):
        found = await bench.gateway.embed(["hello"], "p/embed-x", CALLER)
        (row,) = await bench.rows()
    assert found.model == "p/embed-x"
    assert (row.role, row.input_tokens, row.ok) == ("embed", 5, True)


async def test_a_failed_embedding_leaves_a_row(tmp_path: Path) -> None:
    async with (
        model_server(server_that.refuses(500), models=["embed-x"]) as server,
        gateway_over(tmp_path, provider_of(server)) as bench,
    ):
        with pytest.raises(ModelUnavailable):
            await bench.gateway.embed(["hello"], "p/embed-x", CALLER)
        (row,) = await bench.rows()
    assert (row.role, row.ok, row.error) == ("embed", False, "model_unavailable")
