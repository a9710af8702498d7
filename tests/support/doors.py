"""The gate on two real listeners, before routes that a test chooses."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hearth_backend.api.connections import Connections
from hearth_backend.api.dispatch import Dispatch
from hearth_backend.api.endpoint import Endpoint
from hearth_backend.api.gate import Gate, Hosts
from hearth_backend.api.limits import Limits, ModelSlots
from hearth_backend.api.linger import Linger
from hearth_backend.api.listeners import listen
from hearth_backend.api.principals import Principals, write_keys
from hearth_backend.api.quiet_server import QuietServer, configured
from hearth_backend.api.table import RouteTable
from hearth_backend.api.transport import Rules
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.storage.clients import Clients
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth
from hearth_shared.paths import Home
from hearth_shared.protocol.principals import Door, Scope, TokenRequest
from hearth_shared.settings import Server


@dataclass
class Doors:
    """What a test sees of the open doors."""

    home: Home
    port: int
    keys: dict[Door, str]
    clients: Clients
    connections: Connections
    metrics: Metrics
    server: QuietServer
    database: Database
    ended: asyncio.Event

    @property
    def url(self) -> str:
        """The HTTP door."""
        return f"http://127.0.0.1:{self.port}"

    async def token(self, *scopes: Scope, days: float = 1) -> str:
        """A new third party's token."""
        made = await self.clients.create(TokenRequest(name="a program", scopes=list(scopes), days=days))
        return made.token


@contextlib.asynccontextmanager
async def doors(
    folder: Path,
    endpoints: Sequence[Endpoint],
    *,
    settings: Server | None = None,
    rules: Rules | None = None,
    clock: Callable[[], float] = time.time,
    linger_s: float | None = None,
) -> AsyncGenerator[Doors]:
    """Serve `endpoints` behind the gate until left."""
    options = settings or Server(port=0)
    home = Home(folder / "home")
    home.make()
    database = Database(home.database, hearth.MIGRATIONS)
    clients = Clients(database, clock=clock)
    listeners = listen(home, options.host, 0, exactly=False)
    keys = write_keys(home)
    principals = Principals(keys, clients)
    connections = Connections()
    clients.on_revoke(connections.revoke)
    metrics = Metrics()
    dispatch = Dispatch(options, connections, ModelSlots(options.model_requests), metrics, Tracer())
    gate = Gate(
        RouteTable(endpoints),
        principals,
        Limits(options, time.monotonic),
        Hosts.on(listeners.port),
        options.max_body,
        dispatch,
    )
    opened, ended = asyncio.Event(), asyncio.Event()

    async def idle() -> bool:
        return False

    linger = Linger(linger_s, idle, lambda: server.stop())
    server = QuietServer(
        configured(gate, options.max_body, rules or Rules(os.getuid(), 64)),
        linger,
        opened.set,
        lambda: connections.stop(endless_only=False),
    )
    serving = asyncio.create_task(server.serve([listeners.unix, listeners.tcp]))
    serving.add_done_callback(lambda task: ended.set())
    try:
        await opened.wait()
        yield Doors(home, listeners.port, keys, clients, connections, metrics, server, database, ended)
    finally:
        server.stop()
        await serving
        await principals.close()
        listeners.close()
        await database.close()
