"""A gateway over model servers of a test, with a real usage log."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from hearth_backend.gateway.discover import Discovery
from hearth_backend.gateway.failover import Nap
from hearth_backend.gateway.gateway import Gateway
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    ChatMessage,
    ChatRequest,
    Provider,
    Restart,
    TextDelta,
)
from hearth_backend.gateway.money import Money, Now, Tell
from hearth_backend.gateway.openai_compatible import OpenAICompatible
from hearth_backend.gateway.stream import Patience
from hearth_backend.gateway.usage import UsageLog
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations.telemetry import MIGRATIONS
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.models import Where
from hearth_shared.protocol.status import UsageRow
from hearth_shared.settings import Budget
from hearth_shared.settings import Models as Policy
from hearth_shared.settings import Provider as ProviderSettings
from support.clock import Clock
from support.provider import ModelServer

CALM = Patience(connect_s=60, first_s=60, gap_s=60)
"""For a server that answers, however slow this machine is now."""
HASTY = Patience(connect_s=60, first_s=1, gap_s=0.3)
"""For a server that falls silent."""
CALLER = Caller(request_id="req_1", door="cli", run_id="run_1")
HELLO = ChatRequest([ChatMessage("user", "hello")])


class KeyRing:
    """Keys in memory."""

    def __init__(self, **keys: str) -> None:
        self._keys = keys

    def get(self, name: str) -> SecretStr | None:
        return SecretStr(self._keys[name]) if name in self._keys else None


def provider_of(
    server: ModelServer,
    name: str = "p",
    *,
    where: Where = "this machine",
    patience: Patience = CALM,
    keys: KeyRing | None = None,
    **settings: object,
) -> OpenAICompatible:
    """A provider that asks this server."""
    chosen = ProviderSettings.model_validate({"url": server.url, "where": where, **settings})
    return OpenAICompatible(name, chosen, keys or KeyRing(), patience=patience)


@dataclass
class Bench:
    """A gateway, and what it left behind."""

    gateway: Gateway
    usage: UsageLog
    metrics: Metrics
    clock: Clock

    async def rows(self) -> list[UsageRow]:
        """The usage rows, oldest first."""
        return (await self.usage.list()).rows[::-1]


@asynccontextmanager
async def gateway_over(
    folder: Path,
    *providers: Provider,
    policy: Policy | None = None,
    discovery: Discovery | None = None,
    nap: Nap = asyncio.sleep,
    budget: Budget | None = None,
    tell: Tell | None = None,
    now: Now = datetime.now,
) -> AsyncGenerator[Bench]:
    """A gateway over these providers, closed with the block. Its clock starts as the machine's, and stands."""
    database, metrics, clock = Database(folder / "telemetry.db", MIGRATIONS), Metrics(), Clock(time.monotonic())
    usage = UsageLog(database, metrics)
    money = Money(budget or Budget(), usage, tell or _tell_nobody, now)
    usage.watched(money.watch)
    given = policy or Policy()
    gateway = Gateway(providers, given, usage, Tracer(), discovery=discovery, clock=clock, nap=nap, money=money)
    try:
        yield Bench(gateway, usage, metrics, clock)
    finally:
        await gateway.close()
        await usage.close()
        await database.close()


async def _tell_nobody(kind: EventType, data: Mapping[str, Any]) -> None:
    pass


async def collected(events: AsyncGenerator[ChatEvent]) -> list[ChatEvent]:
    """All events."""
    return [event async for event in events]


def text_of(events: Sequence[ChatEvent]) -> str:
    """What counts of the text: all since the last Restart."""
    text = ""
    for event in events:
        if isinstance(event, Restart):
            text = ""
        elif isinstance(event, TextDelta):
            text += event.text
    return text
