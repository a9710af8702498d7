from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hearth_backend.gateway.messages import ChatRequest, Chosen, Sampling
from hearth_backend.gateway.money import usual, warnings
from hearth_backend.gateway.openai_compatible import OpenAICompatible
from hearth_shared.errors import ModelUnavailable
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.status import UsageRow
from hearth_shared.settings import Budget
from hearth_shared.settings import Models as Policy
from support.gateways import CALLER, HELLO, Bench, KeyRing, collected, gateway_over, provider_of
from support.provider import ModelServer, model_server, words

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 25, 12, 0)
LONG_AGO = datetime(1971, 1, 1)
"""What is spent while a test runs was spent since then, also at midnight."""
AMBIENT, WRITER = replace(CALLER, lane="ambient"), replace(CALLER, agent="writer")


def cloud(server: ModelServer) -> OpenAICompatible:
    """A dollar a call: of a million tokens, one dollar, and each answer writes a million."""
    keys = KeyRing(cloud="k")
    return provider_of(server, "cloud", where="cloud", model="m", keys=keys, input_price=0, output_price=1)


def dear() -> Any:
    return words("ok", written=1_000_000)


class Told:
    """Alerts, in memory."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def __call__(self, kind: EventType, data: Mapping[str, Any]) -> None:
        assert kind is EventType.ALERT_RAISED
        self.names.append(data["name"])


async def spend(bench: Bench, dollars: float | None, at: datetime, agent: str = "") -> None:
    """As if it had been spent then."""
    bench.usage.record(
        UsageRow(
            at=at.timestamp(),
            request_id="req",
            door="cli",
            role="chat",
            model="m",
            provider="cloud",
            where="cloud",
            input_tokens=1,
            output_tokens=1,
            cost=dollars,
            ms=1.0,
            ok=True,
            agent=agent,
        )
    )
    await bench.usage.flushed()


async def test_when_the_day_s_budget_is_spent_no_cloud_is_asked(tmp_path: Path) -> None:
    async with (
        model_server(dear()) as server,
        gateway_over(tmp_path, cloud(server), budget=Budget(day=2), now=lambda: LONG_AGO) as bench,
    ):
        for _ in range(2):
            await collected(bench.gateway.chat(HELLO, CALLER))
        with pytest.raises(ModelUnavailable, match=r"\$2.00 .* are spent") as over:
            await collected(bench.gateway.chat(HELLO, CALLER))
    assert "budget.day" in over.value.fix
    assert len(server.calls) == 2


async def test_work_nobody_waits_for_stops_first(tmp_path: Path) -> None:
    async with (
        model_server(dear()) as server,
        gateway_over(tmp_path, cloud(server), budget=Budget(day=2), now=lambda: LONG_AGO) as bench,
    ):
        await collected(bench.gateway.chat(HELLO, AMBIENT))
        with pytest.raises(ModelUnavailable, match="kept for what you wait for"):
            await collected(bench.gateway.chat(HELLO, AMBIENT))
        await collected(bench.gateway.chat(HELLO, CALLER))
    assert len(server.calls) == 2


async def test_an_agent_has_a_budget_of_its_own(tmp_path: Path) -> None:
    async with (
        model_server(dear()) as server,
        gateway_over(tmp_path, cloud(server), budget=Budget(agent_day={"writer": 1}), now=lambda: LONG_AGO) as bench,
    ):
        await collected(bench.gateway.chat(HELLO, WRITER))
        with pytest.raises(ModelUnavailable, match="agent writer"):
            await collected(bench.gateway.chat(HELLO, WRITER))
        await collected(bench.gateway.chat(HELLO, CALLER))
    assert len(server.calls) == 2


async def test_a_call_that_would_cost_too_much_is_not_made(tmp_path: Path) -> None:
    async with (
        model_server(words("ok")) as server,
        gateway_over(tmp_path, cloud(server), budget=Budget(call=0.01)) as bench,
    ):
        with pytest.raises(ModelUnavailable, match=r"about \$0.0200"):
            await collected(
                bench.gateway.chat(ChatRequest(HELLO.messages, sampling=Sampling(max_tokens=20_000)), CALLER)
            )
        await collected(bench.gateway.chat(HELLO, CALLER))  # a usual answer
    assert len(server.calls) == 1


async def test_this_machine_answers_beyond_every_budget_and_says_instead_of_whom(tmp_path: Path) -> None:
    async with (
        model_server(dear()) as far,
        model_server(words("here")) as near,
        gateway_over(
            tmp_path,
            cloud(far),
            provider_of(near, "near"),
            policy=Policy(chat="cloud/m", cloud="allowed"),
            budget=Budget(day=1),
            now=lambda: LONG_AGO,
        ) as bench,
    ):
        await spend(bench, 1.0, NOON)
        events = await collected(bench.gateway.chat(HELLO, CALLER))
        rows = await bench.rows()
    assert isinstance(events[0], Chosen)
    assert (events[0].provider, events[0].instead_of) == ("near", "cloud/m")
    assert "may cost today are spent" in events[0].because
    assert far.calls == []
    assert [(row.provider, row.instead_of) for row in rows[1:]] == [("near", "cloud/m")]


async def test_a_new_day_has_its_budget_again_and_a_price_nobody_knows_is_not_counted(tmp_path: Path) -> None:
    day = datetime.now() + timedelta(days=2)  # nothing of the calls themselves is counted
    async with (
        model_server(words("ok")) as server,
        gateway_over(tmp_path, cloud(server), budget=Budget(day=1), now=lambda: day) as bench,
    ):
        await spend(bench, 5.0, day - timedelta(days=1))
        await spend(bench, None, day)
        await collected(bench.gateway.chat(HELLO, CALLER))
        await spend(bench, 1.0, day)
        with pytest.raises(ModelUnavailable):
            await collected(bench.gateway.chat(HELLO, CALLER))


async def test_thresholds_and_spikes_are_told_once_a_day(tmp_path: Path) -> None:
    told = Told()
    async with (
        model_server() as server,
        gateway_over(tmp_path, cloud(server), budget=Budget(day=10), tell=told, now=lambda: NOON) as bench,
    ):
        for days in (1, 2, 3):
            await spend(bench, 4.0, NOON - timedelta(days=days))
        assert told.names == []
        await spend(bench, 8.0, NOON)
        assert told.names == ["budget 80%"]
        await spend(bench, 0.1, NOON)
        assert told.names == ["budget 80%", "spike"]
        await spend(bench, 3.0, NOON)
        await spend(bench, 3.0, NOON)
        assert told.names == ["budget 80%", "spike", "budget 100%"]


def test_what_is_usual_needs_three_days() -> None:
    assert usual({"2026-11-22": 2.0, "2026-11-23": 4.0, "2026-11-25": 9.0}, "2026-11-25") is None
    assert usual({"2026-11-21": 0.0, "2026-11-22": 2.0, "2026-11-23": 4.0, "2026-11-24": 3.0}, "2026-11-25") == 3.0


def test_nothing_is_said_of_a_day_that_cost_nothing() -> None:
    assert warnings(0.0, 1.0, 1.0) == {}
    assert [*warnings(5.0, 0.0, 2.0)] == ["spike"]
