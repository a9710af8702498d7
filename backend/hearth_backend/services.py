"""The composition root: builds each object once, in order, and closes them in reverse."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from hearth_backend.agent.loop import AgentLoop
from hearth_backend.agent.profiles import Profiles
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
from hearth_backend.gateway.minilm import MiniLM
from hearth_backend.gateway.providers import configured
from hearth_backend.gateway.usage import UsageLog
from hearth_backend.health_reports import HealthReports
from hearth_backend.memory.memory import Memory
from hearth_backend.memory.working import Working
from hearth_backend.observe.doctor import Doctor
from hearth_backend.observe.health import Health
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.orchestrator.approvals import Approvals
from hearth_backend.orchestrator.delegation import Delegation
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.orchestrator.runs import Runs
from hearth_backend.orchestrator.threads import Threads
from hearth_backend.orchestrator.webhooks import Webhooks
from hearth_backend.orchestrator.worker import Worker
from hearth_backend.pairing import Pairings
from hearth_backend.storage.clients import Clients
from hearth_backend.storage.consents import Consents
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth, telemetry
from hearth_backend.toolbox import Toolbox, toolbox
from hearth_backend.upkeep import Upkeep
from hearth_shared import __version__
from hearth_shared.discovery import read_endpoint
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
    profiles: Profiles
    threads: Threads
    approvals: Approvals
    box: Toolbox
    webhooks: Webhooks
    worker: Worker
    memory: Memory
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
        await services.box.rules.load()
        await services.memory.start()
        stack.push_async_callback(services.memory.close)
        services.worker.start()
        stack.push_async_callback(services.worker.stop)
        discovery.start()
        await stack.enter_async_context(services.webhooks)
        await stack.enter_async_context(services.hub)
        await stack.enter_async_context(services.bridge)
        await stack.enter_async_context(
            Upkeep(
                services.runs,
                services.approvals,
                services.box.undo,
                services.usage,
                services.bridge,
                settings.observe,
                services.metrics,
            )
        )
        yield services


def _build(home: Home, settings: Settings, secrets: Secrets, discovery: Discovery, stack: AsyncExitStack) -> Services:
    database = _closing(stack, Database(home.database, hearth.MIGRATIONS))
    notes = _closing(stack, Database(home.telemetry, telemetry.MIGRATIONS, synchronous="NORMAL"))
    metrics, health = Metrics(), Health()
    tracer = _closing(stack, Tracer(notes, settings.observe))
    events = EventLog(database)
    stack.callback(events.close)
    emit = partial(_emit, events)
    placement = Placement(Builds(home.engines), settings.engine.backend)
    engine = _closing(stack, _engine(home, settings, emit, metrics, tracer, placement))
    own = settings.memory
    embedder = _closing(stack, MiniLMEmbedder(home.models / "minilm", own.embedder_variant, own.embedder_idle_s))
    usage = _closing(stack, UsageLog(notes, metrics))
    _closing(stack, discovery)
    here = LocalEngine(engine, context=settings.engine.context)
    providers = [here, MiniLM(embedder), *configured(settings.providers, secrets)]
    models = _closing(stack, Gateway(providers, settings.models, usage, tracer, discovery=discovery))
    memory = Memory(database, embedder, own, emit)
    stack.callback((working := Working()).close)
    files = partial(model_files.listed, engine, settings.engine.context)
    work = _work(home, settings, database, events, memory, health)
    clients = Clients(database)
    bridge = Bridge(home, settings.bridge.port, clients, health)
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
            home, database, notes, secrets, models, embedder, discovery, files, bridge, placement, *work.looked_at()
        ),
        events=events,
        runs=work.runs,
        profiles=work.profiles,
        threads=Threads(database, work.profiles),
        approvals=work.approvals,
        box=work.box,
        webhooks=work.webhooks,
        worker=_worker(work, models, memory, tracer, metrics, settings),
        memory=memory,
        working=working,
        consents=Consents(database),
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


class _Work(NamedTuple):
    """Tasks, who does them, and what stands before it."""

    profiles: Profiles
    runs: Runs
    approvals: Approvals
    box: Toolbox
    webhooks: Webhooks

    def looked_at(self) -> tuple[Toolbox, Profiles]:
        """What doctor examines of it."""
        return self.box, self.profiles


def _work(
    home: Home, settings: Settings, database: Database, events: EventLog, memory: Memory, health: Health
) -> _Work:
    profiles = Profiles(home.profiles)
    profiles.write_shipped()
    profiles.look()
    runs = Runs(database, events, settings.runs, profiles)
    approvals = Approvals(database, events, settings.runs, resumed=runs.wake)
    plans = Delegation(events, profiles, runs.wake, time.time)
    box = toolbox(home, settings, database, events, memory, approvals, health, profiles, plans)
    webhooks = Webhooks(database, runs.store, settings.webhooks, own_ports=partial(_own_ports, home, settings))
    return _Work(profiles, runs, approvals, box, webhooks)


def _worker(
    work: _Work, models: Gateway, memory: Memory, tracer: Tracer, metrics: Metrics, settings: Settings
) -> Worker:
    agent = _agent(models, memory, work.profiles, work.box, tracer, metrics, settings.memory)
    return Worker(work.runs, agent, settings.runs, tracer, metrics)


async def _emit(events: EventLog, kind: EventType, data: Mapping[str, Any]) -> None:
    await events.record(kind, door=Door.INTERNAL, data=data)


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


def _own_ports(home: Home, settings: Settings) -> set[int]:
    """Where Hearth itself listens."""
    endpoint = read_endpoint(home)
    here = {settings.server.port, settings.bridge.port}
    return here | ({endpoint.port} if endpoint and endpoint.port else set())


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
    profiles: Profiles,
    box: Toolbox,
    tracer: Tracer,
    metrics: Metrics,
    settings: MemorySettings,
) -> AgentLoop:
    return AgentLoop(
        models,
        memory,
        box.tools,
        tracer,
        metrics,
        settings,
        guard=box.guard,
        agents=profiles,
        passages_of=memory.rank_passages,
        remember=memory.remember,
    )


class _Closes(Protocol):
    async def close(self) -> None: ...


def _closing(stack: AsyncExitStack, part: Part) -> Part:
    stack.push_async_callback(part.close)
    return part
