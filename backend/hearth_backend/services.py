"""The composition root: builds each object once, in order, and closes them in reverse."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from hearth_backend.agent.loop import AgentLoop
from hearth_backend.agent.profiles import AGENTS
from hearth_backend.bridge import Bridge
from hearth_backend.engine.builds import Builds
from hearth_backend.engine.client import Engine
from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_backend.engine.hub import Hub
from hearth_backend.engine.installer import Installer
from hearth_backend.engine.loader import Emit
from hearth_backend.engine.placement import Placement
from hearth_backend.examination import examination
from hearth_backend.gateway import model_files
from hearth_backend.gateway.discover import Discovery
from hearth_backend.gateway.gateway import Gateway
from hearth_backend.gateway.local import LocalEngine
from hearth_backend.gateway.messages import Provider
from hearth_backend.gateway.minilm import MiniLM
from hearth_backend.gateway.providers import configured
from hearth_backend.gateway.usage import UsageLog
from hearth_backend.health_reports import HealthReports
from hearth_backend.memory.blocks import Blocks
from hearth_backend.memory.consent import Permits
from hearth_backend.memory.extraction import Extraction
from hearth_backend.memory.facts import Facts
from hearth_backend.memory.index import Index
from hearth_backend.memory.index_folder import IndexFolder
from hearth_backend.memory.knowledge import Knowledge, knowledge
from hearth_backend.memory.known_first import KnownFirst
from hearth_backend.memory.memory import Memory
from hearth_backend.memory.model_reader import LocalReader
from hearth_backend.memory.places import InSight, Papers, States
from hearth_backend.memory.ports import Embedder
from hearth_backend.memory.working import Working
from hearth_backend.observe.doctor import Doctor
from hearth_backend.observe.health import Health
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.orchestrator.approvals import Approvals
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.orchestrator.redaction import Redaction
from hearth_backend.orchestrator.runs import Runs
from hearth_backend.orchestrator.threads import Threads
from hearth_backend.orchestrator.worker import Worker
from hearth_backend.pairing import Pairings
from hearth_backend.storage.clients import Clients
from hearth_backend.storage.consents import Consents
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth, telemetry
from hearth_backend.tools.clock import Clock
from hearth_backend.tools.recall import Recall
from hearth_backend.tools.registry import Registry
from hearth_backend.upkeep import Upkeep
from hearth_shared import __version__
from hearth_shared.errors import KeyringUnavailable
from hearth_shared.paths import Home
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.principals import Door
from hearth_shared.secrets import OnDemand, Secrets
from hearth_shared.settings import Memory as MemorySettings
from hearth_shared.settings import Settings

Part = TypeVar("Part", bound="_Closes")


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
    reports: HealthReports
    doctor: Doctor
    events: EventLog
    runs: Runs
    threads: Threads
    approvals: Approvals
    worker: Worker
    memory: Memory
    knowledge: Knowledge
    index: Index
    working: Working
    consents: Consents
    models: Gateway
    usage: UsageLog
    engine: Engine
    placement: Placement
    installer: Installer
    hub: Hub
    embedder: MiniLMEmbedder
    clients: Clients
    bridge: Bridge
    pairings: Pairings


@contextlib.asynccontextmanager
async def open_services(home: Home, settings: Settings) -> AsyncGenerator[Services]:
    """Everything, started. Closed in reverse, so that nothing outlives what it stands on."""
    async with AsyncExitStack() as stack:
        discovery = Discovery(enabled=settings.models.look_around)
        services = _build(home, settings, Secrets(OnDemand()), discovery, stack)
        await stack.enter_async_context(services.reports)
        await services.reports.look()
        await services.memory.start()
        stack.push_async_callback(services.memory.close)
        if settings.memory.model_facts:
            services.knowledge.extraction.read_with(LocalReader(services.models))
        await services.knowledge.extraction.start()
        stack.push_async_callback(services.knowledge.extraction.close)
        services.worker.start()
        stack.push_async_callback(services.worker.stop)
        discovery.start()
        await stack.enter_async_context(services.hub)
        await stack.enter_async_context(services.bridge)
        await stack.enter_async_context(
            Upkeep(
                services.runs,
                services.approvals,
                services.usage,
                services.bridge,
                settings.observe,
                services.metrics,
                (services.database.path, services.telemetry.path),
            )
        )
        yield services


def _build(home: Home, settings: Settings, secrets: Secrets, discovery: Discovery, stack: AsyncExitStack) -> Services:
    database = _closing(stack, Database(home.database, hearth.MIGRATIONS))
    notes = _closing(stack, Database(home.telemetry, telemetry.MIGRATIONS, synchronous="NORMAL"))
    metrics, health = Metrics(), Health()
    tracer = _closing(stack, Tracer(notes, settings.observe))
    events, extraction = EventLog(database), Extraction(database, clock=time.time)
    stack.callback(events.close)
    emit = _emitter(events, extraction)
    placement, own = Placement(Builds(home.engines), settings.engine.backend), settings.memory
    engine = _closing(stack, _engine(home, settings, emit, metrics, tracer, placement))
    embedder = _closing(stack, MiniLMEmbedder(home.models / "minilm", own.embedder_variant, own.embedder_idle_s))
    usage = _closing(stack, UsageLog(notes, metrics))
    _closing(stack, discovery)
    here = [LocalEngine(engine, context=settings.engine.context), MiniLM(embedder)]
    models = _closing(stack, _gateway(here, settings, secrets, usage, tracer, discovery))
    consents, working = Consents(database), Working()
    stack.callback(working.close)
    index, former = _index(home, database, own, health), _other_embedder(home, own, stack)
    elsewhere = (Redaction(database), States(engine.forget), InSight(working), Papers(home.root / "answers"))
    memory = Memory(database, embedder, own, emit, elsewhere=elsewhere, index=index, former=former)
    files = partial(model_files.listed, engine, settings.engine.context)
    runs, clients = Runs(database, events, settings.runs, AGENTS), Clients(database)
    bridge = Bridge(home, settings.bridge.port, clients, health)
    agent = _agent(models, memory, database, Permits(consents.decisions), tracer, metrics, own)
    return Services(
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
        reports=HealthReports(home, health, events, embedder),
        doctor=examination(
            home, database, notes, secrets, models, embedder, discovery, files, bridge, placement, index
        ),
        events=events,
        runs=runs,
        threads=Threads(database, AGENTS),
        approvals=Approvals(database, events, settings.runs),
        worker=Worker(runs, agent, settings.runs, tracer, metrics),
        memory=memory,
        knowledge=knowledge(database, memory.remember, extraction, clock=time.time),
        index=index,
        working=working,
        consents=consents,
        models=models,
        usage=usage,
        engine=engine,
        placement=placement,
        installer=_closing(stack, _installer(home, settings, placement, events)),
        hub=Hub(home.models, partial(_told, events), partial(_hub_token, secrets), endpoint=settings.models.hub_url),
        embedder=embedder,
        clients=clients,
        bridge=bridge,
        pairings=Pairings(clients, bridge),
    )


def _gateway(
    here: Sequence[Provider], settings: Settings, secrets: Secrets, usage: UsageLog, tracer: Tracer, found: Discovery
) -> Gateway:
    providers = [*here, *configured(settings.providers, secrets)]
    return Gateway(providers, settings.models, usage, tracer, discovery=found)


def _emitter(events: EventLog, extraction: Extraction) -> Emit:
    async def emit(kind: EventType, data: Mapping[str, Any]) -> None:
        await events.record(kind, door=Door.INTERNAL, data=data)
        if kind is EventType.MEMORY_STORED:
            extraction.wake()

    return emit


def _index(home: Home, database: Database, settings: MemorySettings, health: Health) -> Index:
    folder, told = IndexFolder(home.data / "index"), partial(health.set, "index")
    return Index(database, folder, told, exact_below=settings.exact_below, idle_s=settings.embedder_idle_s)


def _other_embedder(home: Home, settings: MemorySettings, stack: AsyncExitStack) -> Callable[[str], Embedder | None]:
    """The built-in model in the precision that is not chosen: its vectors are searched until the others are there."""
    variant = "int8" if settings.embedder_variant == "fp32" else "fp32"
    other = _closing(stack, MiniLMEmbedder(home.models / "minilm", variant, settings.embedder_idle_s))
    return {other.id: other}.get


def _engine(
    home: Home, settings: Settings, emit: Emit, metrics: Metrics, tracer: Tracer, placement: Placement
) -> Engine:
    states = home.data / "kv"
    return Engine(
        settings.engine, home.models, emit, metrics=metrics, tracer=tracer, placement=placement, states=states
    )


def _installer(home: Home, settings: Settings, placement: Placement, events: EventLog) -> Installer:
    tell = partial(_told, events)
    return Installer(placement.builds, placement, tell, home.logs, wheels_url=settings.engine.wheels_url)


async def _told(events: EventLog, data: Mapping[str, Any]) -> int:
    return (await events.record(EventType.DOWNLOAD_PROGRESS, door=Door.INTERNAL, data=data)).seq


async def _hub_token(secrets: Secrets) -> str | None:
    """Only what was given to Hearth; a keyring that does not answer is as good as none."""
    try:
        found = await asyncio.to_thread(secrets.get, "huggingface")
    except KeyringUnavailable:
        return None
    return found.get_secret_value() if found else None


def _agent(
    models: Gateway,
    memory: Memory,
    database: Database,
    permits: Permits,
    tracer: Tracer,
    metrics: Metrics,
    settings: MemorySettings,
) -> AgentLoop:
    blocks = Blocks(database, clock=time.time)
    tools = Registry([Recall(memory, token_budget=settings.recall_tokens, permits=permits.source), Clock()])

    async def pinned(spaces: frozenset[str]) -> Sequence[str]:
        return [f"{block.label}: {block.text}" for block in await blocks.pinned(spaces)]

    return AgentLoop(
        models,
        KnownFirst(memory, Facts(database, memory.remember)),
        tools,
        tracer,
        metrics,
        settings,
        passages_of=memory.rank_passages,
        remember=memory.remember,
        pinned=pinned,
        permits=permits.source,
    )


class _Closes(Protocol):
    async def close(self) -> None: ...


def _closing(stack: AsyncExitStack, part: Part) -> Part:
    stack.push_async_callback(part.close)
    return part
