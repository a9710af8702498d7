"""The composition root: builds each object once, in order, and closes them in reverse."""

import contextlib
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from hearth_backend.agent.loop import AgentLoop
from hearth_backend.agent.profiles import AGENTS
from hearth_backend.engine.client import Engine
from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_backend.gateway.gateway import Gateway
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
from hearth_shared.paths import Home
from hearth_shared.protocol.events import EventType
from hearth_shared.secrets import Secrets
from hearth_shared.settings import Settings

VERSION = metadata.version("hearth-agent")


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
