"""The composition root: builds each object once, in order, and closes them in reverse."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from hearth_backend.agent.loop import AgentLoop, AgentModels
from hearth_backend.agent.preview import Preview
from hearth_backend.agent.profiles import Profiles
from hearth_backend.agent.run_view import RunView
from hearth_backend.backups import Backups
from hearth_backend.bridge import Bridge
from hearth_backend.engine.builds import Builds
from hearth_backend.engine.client import Engine
from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_backend.engine.embedding_record import TextEmbedder
from hearth_backend.engine.gguf_embedder import GgufEmbedder
from hearth_backend.engine.hub import Hub
from hearth_backend.engine.installer import Installer
from hearth_backend.engine.loader import Emit
from hearth_backend.engine.placement import Placement
from hearth_backend.examination import examination
from hearth_backend.gateway import model_files
from hearth_backend.gateway.departures import Departures
from hearth_backend.gateway.discover import Discovery
from hearth_backend.gateway.gateway import Gateway
from hearth_backend.gateway.local import LocalEngine
from hearth_backend.gateway.messages import Provider
from hearth_backend.gateway.minilm import MiniLM
from hearth_backend.gateway.money import Money
from hearth_backend.gateway.policy import MINILM_MODEL, Router
from hearth_backend.gateway.providers import configured, pools_of
from hearth_backend.gateway.usage import UsageLog
from hearth_backend.health_reports import HealthReports
from hearth_backend.memory.at_hand import AtHand
from hearth_backend.memory.background import Background
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
from hearth_backend.orchestrator.delegation import Delegation
from hearth_backend.orchestrator.events import EventLog
from hearth_backend.orchestrator.redaction import Redaction
from hearth_backend.orchestrator.runs import Runs
from hearth_backend.orchestrator.threads import Threads
from hearth_backend.orchestrator.webhooks import Webhooks
from hearth_backend.orchestrator.worker import Worker
from hearth_backend.pairing import Pairings
from hearth_backend.storage.clients import Clients
from hearth_backend.storage.consents import Consents
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth, telemetry
from hearth_backend.storage.responses import Responses
from hearth_backend.toolbox import Toolbox, toolbox
from hearth_backend.upkeep import Upkeep
from hearth_shared import __version__
from hearth_shared.discovery import read_endpoint
from hearth_shared.errors import KeyringUnavailable
from hearth_shared.paths import Home
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.principals import Door
from hearth_shared.protocol.tasks import Source
from hearth_shared.secrets import OnDemand, Secrets
from hearth_shared.settings import Memory as MemorySettings
from hearth_shared.settings import Settings

Part = TypeVar("Part", bound="_Closes")
MODEL_HUB = "huggingface"
"""Under this name the model hub's token is kept, beside the providers' keys."""


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
    knowledge: Knowledge
    index: Index
    working: Working
    at_hand: AtHand
    consents: Consents
    responses: Responses
    models: Gateway
    preview: Preview
    departures: Departures
    usage: UsageLog
    engine: Engine
    placement: Placement
    installer: Installer
    hub: Hub
    embedder: TextEmbedder
    clients: Clients
    bridge: Bridge
    pairings: Pairings
    backups: Backups


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
        if settings.memory.model_facts:
            services.knowledge.extraction.read_with(LocalReader(services.models))
        await services.knowledge.extraction.start()
        stack.push_async_callback(services.knowledge.extraction.close)
        await services.at_hand.start()
        stack.push_async_callback(services.at_hand.close)
        services.worker.start()
        stack.push_async_callback(services.worker.stop)
        discovery.start()
        await stack.enter_async_context(services.webhooks)
        await stack.enter_async_context(services.hub)
        await stack.enter_async_context(services.bridge)
        await stack.enter_async_context(services.backups)
        await stack.enter_async_context(
            Upkeep(
                services.runs,
                services.approvals,
                services.box.undo,
                services.usage,
                services.bridge,
                settings.observe,
                services.metrics,
                (services.database.path, services.telemetry.path),
            )
        )
        yield services


class _Ground(NamedTuple):
    """What everything stands on."""

    home: Home
    settings: Settings
    secrets: Secrets
    discovery: Discovery
    stack: AsyncExitStack
    database: Database
    notes: Database
    metrics: Metrics
    health: Health
    tracer: Tracer
    events: EventLog


class _Minds(NamedTuple):
    """The models, and what runs those of this machine."""

    placement: Placement
    engine: Engine
    minilm: MiniLMEmbedder
    chosen: GgufEmbedder | None
    usage: UsageLog
    models: Gateway
    departures: Departures

    @property
    def embedder(self) -> MiniLMEmbedder | GgufEmbedder:
        """The one whose vectors are kept."""
        return self.chosen or self.minilm


def _build(home: Home, settings: Settings, secrets: Secrets, discovery: Discovery, stack: AsyncExitStack) -> Services:
    ground = _ground(home, settings, secrets, discovery, stack)
    database, events, health, own = ground.database, ground.events, ground.health, settings.memory
    extraction = Extraction(database, clock=time.time)
    emit = _emitter(events, extraction)
    minds = _minds(ground, emit)
    consents, working = Consents(database), Working()
    stack.callback(working.close)
    index = _index(home, database, health, own)
    memory = _memory(ground, minds, emit, index, working)
    profiles = _profiles(home)
    runs = Runs(database, events, settings.runs, profiles)
    approvals = Approvals(database, events, settings.runs, resumed=runs.wake)
    plans, permits = Delegation(events, profiles, runs.wake, time.time), Permits(consents.decisions)
    box = toolbox(home, settings, database, events, memory, approvals, health, profiles, plans, permits.source)
    clients, at_hand = Clients(database), AtHand(database)
    bridge = Bridge(home, settings.bridge.port, clients, health)
    loop_over = partial(_agent, ground, memory=memory, at_hand=at_hand, permits=permits, profiles=profiles, box=box)
    return Services(
        home=home,
        settings=settings,
        version=__version__,
        started_at=time.time(),
        database=database,
        telemetry=ground.notes,
        secrets=secrets,
        metrics=ground.metrics,
        tracer=ground.tracer,
        health=health,
        reports=HealthReports(home, health, events, minds.embedder),
        doctor=_doctor(ground, minds, bridge, index, box, profiles),
        events=events,
        runs=runs,
        profiles=profiles,
        threads=Threads(database, profiles),
        approvals=approvals,
        box=box,
        webhooks=Webhooks(database, runs.store, settings.webhooks, own_ports=partial(_own_ports, home, settings)),
        worker=_worker(ground, runs, loop_over(minds.models), extraction),
        memory=memory,
        knowledge=knowledge(database, memory.remember, extraction, clock=time.time),
        index=index,
        working=working,
        at_hand=at_hand,
        consents=consents,
        responses=Responses(database),
        models=minds.models,
        preview=Preview(minds.models, partial(loop_over, leaves_traces=False)),
        departures=minds.departures,
        usage=minds.usage,
        engine=minds.engine,
        placement=minds.placement,
        installer=_closing(stack, _installer(home, settings, minds.placement, events)),
        hub=Hub(home.models, partial(_told, events), partial(_hub_token, secrets), endpoint=settings.models.hub_url),
        embedder=minds.embedder,
        clients=clients,
        bridge=bridge,
        pairings=Pairings(clients, bridge),
        backups=Backups(home, settings.backups.every_hours, health),
    )


def _ground(home: Home, settings: Settings, secrets: Secrets, discovery: Discovery, stack: AsyncExitStack) -> _Ground:
    database = _closing(stack, Database(home.database, hearth.MIGRATIONS))
    notes = _closing(stack, Database(home.telemetry, telemetry.MIGRATIONS, synchronous="NORMAL"))
    tracer, events = _closing(stack, Tracer(notes, settings.observe)), EventLog(database)
    stack.callback(events.close)
    return _Ground(
        home, settings, secrets, discovery, stack, database, notes, Metrics(), Health(), tracer, events
    )  # fmt: skip


def _minds(ground: _Ground, emit: Emit) -> _Minds:
    home, settings, stack = ground.home, ground.settings, ground.stack
    own = settings.memory
    placement = Placement(Builds(home.engines), settings.engine.backend)
    engine = _closing(stack, _engine(home, settings, emit, ground.metrics, ground.tracer, placement))
    minilm = _closing(stack, MiniLMEmbedder(home.models / "minilm", own.embedder_variant, own.embedder_idle_s))
    usage = _closing(stack, UsageLog(ground.notes, ground.metrics))
    _closing(stack, ground.discovery)
    providers = [*_here(engine, minilm, settings), *configured(settings.providers, ground.secrets)]
    money = Money(settings.budget, usage, emit)
    usage.watched(money.watch)
    gateway = Gateway(providers, settings.models, usage, ground.tracer, discovery=ground.discovery, money=money)
    departures = Departures(Router(providers, settings.models, ground.discovery.found, pools_of(providers)))
    chosen = _gguf_embedder(engine, settings)
    return _Minds(placement, engine, minilm, chosen, usage, _closing(stack, gateway), departures)


def _memory(ground: _Ground, minds: _Minds, emit: Emit, index: Index, working: Working) -> Memory:
    own, papers = ground.settings.memory, Papers(ground.home.root / "answers")
    return Memory(
        ground.database,
        minds.embedder,
        own,
        emit,
        elsewhere=(Redaction(ground.database), States(minds.engine.forget), InSight(working), papers),
        index=index,
        former=_former(ground.home, own, ground.stack, minds.minilm),
        questions=minds.chosen.for_questions if minds.chosen else None,
    )


def _worker(ground: _Ground, runs: Runs, agent: AgentLoop, extraction: Extraction) -> Worker:
    """Reading memories for facts gives way to whatever somebody waits for."""
    return Worker(runs, agent, ground.settings.runs, ground.tracer, ground.metrics, busy=extraction.give_way)


def _emitter(events: EventLog, extraction: Extraction) -> Emit:
    async def emit(kind: EventType, data: Mapping[str, Any]) -> None:
        await events.record(kind, door=Door.INTERNAL, data=data)
        if kind is EventType.MEMORY_STORED:
            extraction.wake()

    return emit


def _profiles(home: Home) -> Profiles:
    profiles = Profiles(home.profiles)
    profiles.write_shipped()
    profiles.look()
    return profiles


def _doctor(ground: _Ground, minds: _Minds, bridge: Bridge, index: Index, box: Toolbox, profiles: Profiles) -> Doctor:
    files = partial(model_files.listed, minds.engine, ground.settings.engine.context)
    return examination(
        ground.home,
        ground.database,
        ground.notes,
        ground.secrets,
        minds.models,
        minds.embedder,
        ground.discovery,
        files,
        bridge,
        minds.placement,
        index,
        box,
        profiles,
    )


def _index(home: Home, database: Database, health: Health, settings: MemorySettings) -> Index:
    folder, told = IndexFolder(home.data / "index"), partial(health.set, "index")
    return Index(database, folder, told, exact_below=settings.exact_below, idle_s=settings.embedder_idle_s)


def _former(
    home: Home, settings: MemorySettings, stack: AsyncExitStack, minilm: MiniLMEmbedder
) -> Callable[[str], Embedder | None]:
    """The built-in model in either precision: what it embedded is searched until another model's vectors are there."""
    variant = "int8" if settings.embedder_variant == "fp32" else "fp32"
    other = _closing(stack, MiniLMEmbedder(home.models / "minilm", variant, settings.embedder_idle_s))
    return {other.id: other, minilm.id: minilm}.get


def _engine(
    home: Home, settings: Settings, emit: Emit, metrics: Metrics, tracer: Tracer, placement: Placement
) -> Engine:
    states = home.data / "kv"
    return Engine(
        settings.engine, home.models, emit, metrics=metrics, tracer=tracer, placement=placement, states=states
    )


def _here(engine: Engine, minilm: MiniLMEmbedder, settings: Settings) -> tuple[Provider, ...]:
    """What answers on this machine without any server."""
    own = settings.engine
    return LocalEngine(engine, context=own.context, embed_tokens=own.embed_tokens), MiniLM(minilm)


def _gguf_embedder(engine: Engine, settings: Settings) -> GgufEmbedder | None:
    """The model file that the person chose for embeddings; None for the built-in model, or one of a server's."""
    name = settings.models.embed
    if name in ("", "auto", MINILM_MODEL) or "/" in name:
        return None
    return GgufEmbedder(engine, name, engine.embedding_file(name), settings.engine.embed_tokens)


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
        found = await asyncio.to_thread(secrets.get, MODEL_HUB)
    except KeyringUnavailable:
        return None
    return found.get_secret_value() if found else None


def _agent(
    ground: _Ground,
    models: AgentModels,
    *,
    memory: Memory,
    at_hand: AtHand,
    permits: Permits,
    profiles: Profiles,
    box: Toolbox,
    leaves_traces: bool = True,
) -> AgentLoop:
    own = ground.settings.memory
    blocks, background = Blocks(ground.database, clock=time.time), Background(ground.database)

    async def pinned(spaces: frozenset[str]) -> Sequence[str]:
        return [f"{block.label}: {block.text}" for block in await blocks.pinned(spaces)]

    async def behind(run: RunView) -> Sequence[Source]:
        since = run.history[0].created_at if run.history else None
        return await background.lines(run.spaces, run.thread_id, since)

    return AgentLoop(
        models,
        KnownFirst(memory, Facts(ground.database, memory.remember)),
        box.tools,
        ground.tracer if leaves_traces else Tracer(),
        ground.metrics if leaves_traces else Metrics(),
        own if leaves_traces else own.model_copy(update={"enabled": False}),
        guard=box.guard,
        passages_of=memory.rank_passages,
        remember=memory.remember,
        pinned=pinned,
        permits=permits.source,
        at_hand=at_hand.held,
        background=behind,
        agents=profiles,
    )


class _Closes(Protocol):
    async def close(self) -> None: ...


def _closing(stack: AsyncExitStack, part: Part) -> Part:
    stack.push_async_callback(part.close)
    return part
