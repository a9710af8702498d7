"""The bridge's program, started by the backend and by nobody else: it lives as long as its standard input is open.

Its first line of input says which port is wanted, its one line of output which it has.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from hearth_bridge.backend import Backend
from hearth_bridge.server import Door, bind
from hearth_shared.errors import HearthError
from hearth_shared.extension import BRIDGE_PORT
from hearth_shared.paths import find_home

log = logging.getLogger(__name__)
_INPUT: Final = 0
_LAST_WORDS_S: Final = 2.0


def main() -> int:
    """Serve until the backend ends; the exit status."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the backend's terminal is for the backend
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(_wanted(_first_line())))
    except (HearthError, OSError) as error:
        log.error("the bridge cannot serve browsers: %s", error)
        return 1
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one: it takes a third less processor time for each event that goes through."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(port: int) -> None:
    door = Door(Backend.of(find_home()), bind(port))
    async with door.open():
        with contextlib.suppress(OSError):  # the backend may have gone in this moment
            os.write(1, json.dumps({"port": door.port}).encode() + b"\n")
        await _until_end_of_input()
        asyncio.get_running_loop().call_later(_LAST_WORDS_S, os._exit, 0)  # a browser that does not say goodbye


async def _until_end_of_input() -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def readable() -> None:
        if not os.read(_INPUT, 4096):
            loop.remove_reader(_INPUT)
            ended.set()

    loop.add_reader(_INPUT, readable)
    await ended.wait()


def _first_line() -> bytes:
    """Read byte by byte, so that nothing after it is swallowed."""
    line = b""
    while (piece := os.read(_INPUT, 1)) and piece != b"\n":
        line += piece
    return line


def _wanted(line: bytes) -> int:
    try:
        said: Any = json.loads(line)
        port = said["port"]
    except (ValueError, KeyError, TypeError):
        return BRIDGE_PORT
    return port if type(port) is int and 0 <= port < 65536 else BRIDGE_PORT


if __name__ == "__main__":
    sys.exit(main())
