"""What `hearth doctor` examines in the running backend."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import aclosing

from hearth_backend import ids
from hearth_backend.agent.profiles import Profiles
from hearth_backend.bridge import Bridge
from hearth_backend.engine.embedding_record import TextEmbedder
from hearth_backend.engine.isolation import PROBE
from hearth_backend.engine.placement import Placement
from hearth_backend.gateway.discover import Discovery
from hearth_backend.gateway.gateway import Gateway
from hearth_backend.gateway.messages import Caller, ChatMessage, ChatRequest, Sampling, TextDelta
from hearth_backend.memory.index import Index
from hearth_backend.observe.checks import builds, keyring, listeners, profiles, sandbox
from hearth_backend.observe.checks import database as databases
from hearth_backend.observe.checks import home as folders
from hearth_backend.observe.checks import index as indexes
from hearth_backend.observe.checks import models as checks
from hearth_backend.observe.doctor import Doctor
from hearth_backend.storage import driver
from hearth_backend.storage.database import Database
from hearth_backend.toolbox import Toolbox
from hearth_shared.discovery import read_endpoint
from hearth_shared.errors import BackendUnavailable
from hearth_shared.paths import Home
from hearth_shared.protocol.models import ModelFileInfo, ModelInfo
from hearth_shared.protocol.status import Check
from hearth_shared.secrets import Secrets

_WORDS = 8


def examination(
    home: Home,
    database: Database,
    notes: Database,
    secrets: Secrets,
    models: Gateway,
    embedder: TextEmbedder,
    discovery: Discovery,
    model_files: Callable[[], Awaitable[Sequence[ModelFileInfo]]],
    bridge: Bridge,
    placement: Placement,
    index: Index,
    box: Toolbox,
    agents: Profiles,
) -> Doctor:
    """Each check is performed when it is asked for."""

    async def servers() -> Collection[str]:
        await discovery.look()
        return [server.name for server in discovery.found()]

    def at_port(check: Callable[[int], Awaitable[Check]]) -> Callable[[], Awaitable[Check]]:
        return lambda: check(_port(home))

    return Doctor(
        {
            "home": lambda: folders.folders(home),
            "disk": lambda: folders.disk(home.root),
            "config": lambda: folders.config(home.config),
            "logs": lambda: folders.logs(home.logs),
            "sqlite": lambda: databases.driver(
                driver.DRIVER, driver.SQLITE_VERSION, driver.SAFE_VERSION, driver.connect, home.data
            ),
            "integrity of hearth.db": lambda: databases.integrity("hearth.db", database),
            "integrity of telemetry.db": lambda: databases.integrity("telemetry.db", notes),
            "clock": lambda: databases.clock(database),
            "keyring": lambda: keyring.keyring(secrets),
            "socket": lambda: listeners.socket(home.socket),
            "socket answers": lambda: listeners.socket_answers(home.socket),
            "HTTP door answers": at_port(listeners.port_answers),
            "loopback": at_port(listeners.loopback),
            "bridge": lambda: listeners.bridge(bridge.port, bridge.is_needed, home.logs / "bridge.log"),
            "engine": checks.engine,
            "GPU": lambda: builds.builds(lambda: _builds(placement)),
            "engine isolation": lambda: checks.isolation(PROBE),
            "sandbox": lambda: sandbox.sandbox(lambda: _held(box)),
            "policy": lambda: sandbox.policy(box.policy.current().problem, len(box.policy.current().rules)),
            "profiles": lambda: _profiles(agents),
            "model": lambda: checks.generation(models.models, lambda model: _generated(models, model)),
            "model files": lambda: checks.files(model_files),
            "embedder": lambda: checks.embeddings(embedder, fix=embedder.fix),
            "index": lambda: indexes.index(index),
            "other servers": lambda: checks.servers(servers),
        }
    )


def _port(home: Home) -> int:
    endpoint = read_endpoint(home)
    if endpoint is None or endpoint.port is None:
        raise BackendUnavailable("The HTTP door is closed.", "Restart Hearth: `hearth down`, then `hearth up`.")
    return endpoint.port


async def _profiles(agents: Profiles) -> Check:
    agents.look()
    return await profiles.profiles(list(agents), list(agents.broken.values()))


async def _held(box: Toolbox) -> sandbox.Held:
    return sandbox.Held(*await box.sandbox.stands(again=True))


async def _builds(placement: Placement) -> list[builds.BuildSeen]:
    chosen = await placement.chosen()
    seen: list[builds.BuildSeen] = []
    for build in placement.builds.all():
        if build.current:
            trial = await placement.tried(build)
            gpu = (trial.gpu.detail or trial.gpu.name) if trial.gpu else ""
            used = chosen is not None and chosen.build == build
            seen.append(builds.BuildSeen(build.backend, used, gpu, trial.problem))
    return seen


async def _generated(models: Gateway, model: ModelInfo) -> str:
    request = ChatRequest(
        [ChatMessage("user", "Say hello.")], model=model.id, sampling=Sampling(max_tokens=_WORDS, temperature=0.0)
    )
    caller = Caller(ids.passing("req"), "internal", "ambient", local_only=True)
    async with aclosing(models.chat(request, caller)) as answer:
        return "".join([event.text async for event in answer if isinstance(event, TextDelta)])
