"""The composition root: builds each object once, in order, and closes them in reverse."""

import contextlib
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from hearth_backend.agent.loop import AgentLoop
from hearth_backend.agent.profiles import AGENTS
from hearth_backend.engine.client import Engine
from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_backend.examination import examination
from hearth_backend.gateway.discover import Discovery
from hearth_backend.gateway.gateway import Gateway
from hearth_backend.gateway.local import LocalEngine
from hearth_backend.gateway.minilm import MiniLM
from hearth_backend.gateway.providers import configured
from hearth_backend.gateway.usage import UsageLog
from hearth_backend.memory.memory import Memory
from hearth_backend.observe.doctor import Doctor
from hearth_backend.observe.health import Health
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.orchestrator.approvals import Approvals
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.orchestrator.runs import Runs
from hearth_backend.orchestrator.threads import Threads
from hearth_backend.orchestrator.worker import Worker
from hearth_backend.storage.clients import Clients
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth, telemetry
from hearth_backend.tools.clock import Clock
from hearth_backend.tools.recall import Recall
from hearth_backend.tools.registry import Registry
from hearth_backend.upkeep import Upkeep
from hearth_shared import __version__
from hearth_shared.paths import Home
from hearth_shared.protocol.events import EventType
from hearth_shared.secrets import OnDemand, Secrets
from hearth_shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the doors may use."""

    home: Home
    settings: Settings
    version: str
    started_at: float
    database: Database
    telemetry: Database
    secrets: Secrets
    metrics: Metrics
    tracer: Tracer
    health: Health
    doctor: Doctor
    events: EventLog
    runs: Runs
    threads: Threads
    approvals: Approvals
    worker: Worker
    memory: Memory
    models: Gateway
    usage: UsageLog
    engine: Engine
    embedder: MiniLMEmbedder
    clients: Clients


@contextlib.asynccontextmanager
async def open_services(home: Home, settings: Settings) -> AsyncGenerator[Services]:
    """Everything, started. Closed in reverse, so that nothing outlives what it stands on."""
    async with AsyncExitStack() as stack:
        services, discovery = _build(home, settings, stack)
        await services.memory.start()
        stack.push_async_callback(services.memory.close)
        services.worker.start()
        stack.push_async_callback(services.worker.stop)
        discovery.start()
        await stack.enter_async_context(Upkeep(services.runs, services.approvals, services.usage, settings.observe))
        yield services


def _build(home: Home, settings: Settings, stack: AsyncExitStack) -> tuple[Services, Discovery]:
    database = Database(home.database, hearth.MIGRATIONS)
    stack.push_async_callback(database.close)
    notes = Database(home.telemetry, telemetry.MIGRATIONS, synchronous="NORMAL")
    stack.push_async_callback(notes.close)
    metrics, health = Metrics(), Health()
    tracer = Tracer(notes, settings.observe)
    stack.push_async_callback(tracer.close)
    events = EventLog(database)
    stack.callback(events.close)

    async def emit(kind: EventType, data: Mapping[str, Any]) -> None:
        await events.record(kind, data=data)

    secrets = Secrets(OnDemand())
    engine = Engine(settings.engine, home.models, emit)
    stack.push_async_callback(engine.close)
    embedder = MiniLMEmbedder(
        home.models / "minilm", settings.memory.embedder_variant, settings.memory.embedder_idle_s
    )
    stack.push_async_callback(embedder.close)
    usage = UsageLog(notes, metrics)
    stack.push_async_callback(usage.close)
    discovery = Discovery(secrets, enabled=settings.models.look_around)
    stack.push_async_callback(discovery.close)
    providers = [
        LocalEngine(engine, context=settings.engine.context),
        MiniLM(embedder),
        *configured(settings.providers, secrets),
    ]
    models = Gateway(providers, settings.models, usage, tracer, discovery=discovery)
    stack.push_async_callback(models.close)
    memory = Memory(database, embedder, settings.memory, emit)
    runs = Runs(database, events, settings.runs, AGENTS)
    loop = AgentLoop(
        models,
        memory,
        Registry([Recall(memory, token_budget=settings.memory.recall_tokens), Clock()]),
        tracer,
        metrics,
        settings.memory,
        passages_of=memory.rank_passages,
        remember=memory.remember,
    )
    services = Services(
        home=home,
        settings=settings,
        version=__version__,
        started_at=time.time(),
        database=database,
        telemetry=notes,
        secrets=secrets,
        metrics=metrics,
        tracer=tracer,
        health=health,
        doctor=examination(home, settings, database, notes, secrets, models, engine, embedder, discovery),
        events=events,
        runs=runs,
        threads=Threads(database, AGENTS),
        approvals=Approvals(database, events, settings.runs),
        worker=Worker(runs, loop, settings.runs, tracer, metrics),
        memory=memory,
        models=models,
        usage=usage,
        engine=engine,
        embedder=embedder,
        clients=Clients(database),
    )
    return services, discovery
