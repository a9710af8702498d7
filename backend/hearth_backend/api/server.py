"""Serves a backend's doors: opens both listeners, says where they are, drains and closes."""

import asyncio
import functools
import gc
import os
from collections.abc import Callable

from hearth_backend.api.app import App, build
from hearth_backend.api.linger import Linger
from hearth_backend.api.listeners import Listeners, listen
from hearth_backend.api.principals import remove_keys, write_keys
from hearth_backend.api.quiet_server import DRAIN_S, QuietServer, configured
from hearth_backend.services import Services
from hearth_shared import discovery


async def serve(
    services: Services,
    *,
    port: int | None = None,
    keep: bool = False,
    ready: Callable[[discovery.Endpoint], None] | None = None,
) -> None:
    """Serve until a signal, or until nobody has needed Hearth for a while (never, with `keep`).

    The caller holds the home's claim (`discovery.claim`). `port` is one asked for on the command line: it is taken
    exactly or PortInUse is raised. `ready` is called with where the doors are, once they are open.
    """
    options = services.settings.server
    wanted = options.port if port is None else port
    listeners = listen(services.home, options.host, wanted, exactly=port is not None)
    try:
        async with build(services, write_keys(services.home), listeners.port) as app:
            await _serve(services, listeners, app, keep, ready)
    finally:
        discovery.remove_endpoint(services.home)
        remove_keys(services.home)
        listeners.close()


async def _serve(
    services: Services,
    listeners: Listeners,
    app: App,
    keep: bool,
    ready: Callable[[discovery.Endpoint], None] | None,
) -> None:
    async def busy() -> bool:
        if services.hub.busy or services.installer.busy:
            return True
        return any((await services.runs.counts()).values())

    def opened() -> None:
        settle()
        endpoint = discovery.Endpoint(
            os.getpid(), services.version, str(listeners.path), listeners.port, services.started_at
        )
        discovery.write_endpoint(services.home, endpoint)
        _tell_port(services, listeners)
        if ready is not None:
            ready(endpoint)

    def ending() -> None:
        discovery.remove_endpoint(services.home)
        app.connections.stop(endless_only=True)
        asyncio.get_running_loop().call_later(DRAIN_S, functools.partial(app.connections.stop, endless_only=False))

    linger = Linger(None if keep else services.settings.server.linger_s, busy, lambda: server.stop())
    server = QuietServer(configured(app.gate, services.settings.server.max_body), linger, opened, ending)
    await server.serve([listeners.unix, listeners.tcp])


def settle() -> None:
    """What start-up made stays for good: the garbage collector need not look at it again, nor as often as for a script.
    With some 100,000 objects of ours that is a twentieth of what storing a task costs. It is not run before: it would
    find some 700 to throw away, for a tenth of what starting costs."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def _tell_port(services: Services, listeners: Listeners) -> None:
    port = listeners.port
    if listeners.wanted in (0, port):
        services.health.set("http", "ok", f"port {port}")
    else:
        taken = f"Port {listeners.wanted} is taken by another program; the HTTP door is on port {port}."
        services.health.set("http", "warn", taken, "Set `server.port`, or leave it so.")
