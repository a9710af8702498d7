"""Serves both listeners in one process. An idle server sleeps: nothing ticks, every wake-up has a cause.

uvicorn's own main loop wakes ten times a second to look at a flag and to renew the Date header. Here it waits for an
event, and no Date header is sent (RFC 9110 asks it of servers with a clock for the sake of caches; all our answers are
`no-store`).
"""

import asyncio
import contextlib
import functools
import logging
import os
import signal
from collections.abc import Callable, Generator
from typing import Final

import uvicorn

from hearth_backend.api.app import App, build
from hearth_backend.api.gate import Gate
from hearth_backend.api.linger import Linger
from hearth_backend.api.listeners import Listeners, listen, raise_file_limit
from hearth_backend.api.principals import remove_keys, write_keys
from hearth_backend.api.transport import Rules, protocol
from hearth_backend.services import Services
from hearth_shared import discovery

DRAIN_S: Final = 10
_AFTER_DRAIN_S: Final = 2
_KEEP_ALIVE_S: Final = 65
_CONNECTIONS: Final = 2048
_OWN_FILES: Final = 256
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class QuietServer(uvicorn.Server):
    """uvicorn, woken by events only. `opened` is called once both listeners serve, `ending` when no more may come."""

    def __init__(
        self, config: uvicorn.Config, linger: Linger, opened: Callable[[], None], ending: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._stop = asyncio.Event()
        self._linger = linger
        self._opened = opened
        self._ending = ending
        self.server_state.connections = linger.visitors

    def stop(self) -> None:
        """Drain and end; asked a second time, end without waiting."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self._stop.set()

    async def main_loop(self) -> None:
        self.server_state.default_headers = self.config.encoded_headers
        self._linger.update()
        self._opened()
        await self._stop.wait()
        self._linger.stop()
        self._ending()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as restored:
            for number in _SIGNALS:
                # Windows' loops have no signal handlers, and neither has any thread but the main one.
                with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                    loop.add_signal_handler(number, self.stop)
                    restored.callback(loop.remove_signal_handler, number)
            yield


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
        with contextlib.closing(build(services, write_keys(services.home), listeners.port)) as app:
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
        return any((await services.runs.counts()).values())

    def opened() -> None:
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


def _tell_port(services: Services, listeners: Listeners) -> None:
    port = listeners.port
    if listeners.wanted in (0, port):
        services.health.set("http", "ok", f"port {port}")
    else:
        taken = f"Port {listeners.wanted} is taken by another program; the HTTP door is on port {port}."
        services.health.set("http", "warn", taken, "Set `server.port`, or leave it so.")


def configured(gate: Gate, max_body: int, rules: Rules | None = None) -> uvicorn.Config:
    """uvicorn for the gate: no header that tells who serves, no log but errors, no proxy's word, WebSocket frames as
    limited as bodies."""
    return uvicorn.Config(
        gate,
        loop="none",
        http=protocol(rules or own_rules()),
        ws="websockets-sansio",
        ws_max_size=max_body,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        log_level=logging.ERROR,
        access_log=False,
        interface="asgi3",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S + _AFTER_DRAIN_S,
    )


def own_rules() -> Rules:
    """This user alone, and as many connections as there are files to spare."""
    return Rules(os.getuid(), max(64, min(_CONNECTIONS, raise_file_limit() - _OWN_FILES)))
