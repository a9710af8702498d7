"""uvicorn that sleeps while nothing happens: nothing ticks, every wake-up has a cause.

uvicorn's own main loop wakes ten times a second to look at a flag and to renew the Date header. Here it waits for an
event, and no Date header is sent (RFC 9110 asks it of servers with a clock for the sake of caches; all our answers are
`no-store`).
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Generator
from typing import Final

import uvicorn

from hearth_backend.api.gate import Gate
from hearth_backend.api.linger import Linger
from hearth_backend.api.listeners import raise_file_limit
from hearth_backend.api.transport import Rules, protocol

DRAIN_S: Final = 10
_AFTER_DRAIN_S: Final = 2
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
        timeout_graceful_shutdown=DRAIN_S + _AFTER_DRAIN_S,
    )


def own_rules() -> Rules:
    """This user alone, and as many connections as there are files to spare."""
    return Rules(os.getuid(), max(64, min(_CONNECTIONS, raise_file_limit() - _OWN_FILES)))
