"""The bridge to the browsers: a child that is there while a browser is paired or a pairing is open, and only then."""

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final, Self, cast

from hearth_backend.observe.health import Health
from hearth_backend.resilience import Breaker
from hearth_backend.storage.clients import Clients
from hearth_shared.discovery import BridgeAt, write_bridge
from hearth_shared.errors import BackendUnavailable, HearthError
from hearth_shared.paths import Home

log = logging.getLogger(__name__)

ARGV: Final = (sys.executable, "-I", "-m", "hearth_bridge")
OPENS_S: Final = 30.0
_PASSED: Final = ("PATH", "LANG", "XDG_RUNTIME_DIR")
_STEADY_S: Final = 60.0
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 10.0
_LARGEST_LOG: Final = 1_000_000
_PIECE: Final = 4096


def environment(home: Home, around: Mapping[str, str] | None = None) -> dict[str, str]:
    """The child's whole environment: nothing that could hold a secret."""
    around = os.environ if around is None else around
    return {name: around[name] for name in _PASSED if name in around} | {"HEARTH_HOME": str(home.root)}


class Bridge:
    """Starts the child when it is needed, again when it died, and lets it go when nobody needs it.

    A child that died is started again after a pause that grows; after five deaths within a minute it is left alone for
    a while, and health says so.
    """

    def __init__(
        self,
        home: Home,
        port: int,
        clients: Clients,
        health: Health,
        *,
        argv: Sequence[str] = ARGV,
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = 5.0,
        grace_s: float = 10.0,
    ) -> None:
        """A child that was told to end is killed after `patience_s`. When the last browser's token ends, the child
        stays for `grace_s`: the bridge tells the browser why it is cut off."""
        self._home = home
        self._wanted_port = port
        self._clients = clients
        self._health = health
        self._argv = argv
        self._clock = clock
        self._patience_s = patience_s
        self._grace_s = grace_s
        self._breaker = Breaker(clock, failures=5, within_s=60)
        self._pause = _FIRST_PAUSE_S
        self._holds = 0
        self._browsers = 0
        self._port: int | None = None
        self._needed, self._unneeded = asyncio.Event(), asyncio.Event()
        self._known, self._hurry = asyncio.Event(), asyncio.Event()  # known: it listens, or is given up for now
        self._grace: asyncio.TimerHandle | None = None
        self._looking: set[asyncio.Task[None]] = set()
        self._keeping: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def port(self) -> int | None:
        """Where it listens; None while it does not."""
        return self._port

    @property
    def is_needed(self) -> bool:
        """Whether a browser is paired or a pairing is open."""
        return bool(self._holds or self._browsers)

    async def __aenter__(self) -> Self:
        self._stop_hearing = self._clients.on_revoke(self._revoked)
        await self.look()
        self._keeping = asyncio.create_task(self._keep(), name="bridge")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_hearing()
        self._closed = True
        self._settle(at_once=True)
        self._needed.set()
        self._hurry.set()
        await asyncio.gather(*self._looking, return_exceptions=True)
        if self._keeping is not None:
            await self._keeping
        self._settle(at_once=True)

    def hold(self) -> None:
        """Have it there until `release`, also with no browser paired."""
        self._holds += 1
        self._breaker.succeeded()  # a person waits for it now
        self._pause = _FIRST_PAUSE_S
        self._hurry.set()
        if self._port is None:
            self._known.clear()
        self._settle()

    def release(self) -> None:
        """The end of one `hold`."""
        self._holds -= 1
        self._settle()

    async def look(self) -> None:
        """Count the paired browsers: after a pairing, a revocation, and now and then for those that expired."""
        self._browsers = await self._clients.browsers()
        self._settle()

    async def ready(self, limit_s: float = OPENS_S) -> int:
        """The port, once it listens. Raises BackendUnavailable when it does not in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._known.wait()
        if self._port is None:
            raise BackendUnavailable(
                "The bridge to the browsers did not start.",
                f"See {self._log}, then try again; `hearth doctor` checks it.",
            )
        return self._port

    @property
    def _log(self) -> str:
        return str(self._home.logs / "bridge.log")

    # -- whether it is needed

    def _revoked(self, client: str) -> None:
        task = asyncio.get_running_loop().create_task(self._look_again())
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _look_again(self) -> None:
        try:
            await self.look()
        except HearthError as error:
            log.info("the paired browsers could not be counted: %s", error)

    def _settle(self, *, at_once: bool = False) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
        if self.is_needed and not self._closed:
            self._unneeded.clear()
            self._needed.set()
        elif at_once or self._port is None:
            self._let_go()
        else:
            self._grace = asyncio.get_running_loop().call_later(self._grace_s, self._let_go)

    def _let_go(self) -> None:
        self._needed.clear()
        self._unneeded.set()
        if not self._closed:
            self._health.set("bridge", "ok", "No browser is paired.")

    # -- keeping it there

    async def _keep(self) -> None:
        while not self._closed:
            await self._needed.wait()
            if self._closed:
                return
            if not self._breaker.admit():
                await self._nap(self._breaker.seconds_left)
                continue
            began = self._clock()
            how = await self._live()
            if how is None:
                self._breaker.released()
                continue
            await self._recover(how, self._clock() - began)

    async def _recover(self, how: str, lasted_s: float) -> None:
        """It died by itself."""
        if lasted_s >= _STEADY_S:
            self._breaker.succeeded()
            self._pause = _FIRST_PAUSE_S
        self._breaker.failed()
        log.info("the bridge ended: %s", how)
        if self._breaker.is_open:
            left = f"It is left alone for {self._breaker.seconds_left:.0f} s."
            detail = f"The bridge to the browsers keeps ending ({how}), so paired browsers are cut off. {left}"
            self._health.set("bridge", "fault", detail, f"See {self._log}.")
            self._known.set()
            return
        self._health.set("bridge", "warn", f"The bridge to the browsers ended ({how}) and is started again.")
        await self._nap(self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S)

    async def _nap(self, seconds: float) -> None:
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()

    async def _live(self) -> str | None:
        """One child, from its start to its end: how it ended, or None when it was let go."""
        try:
            child = await self._start()
        except OSError as error:
            return f"it cannot be started: {error.strerror or error}"
        ending = asyncio.create_task(self._attend(child))
        letting_go = asyncio.create_task(self._unneeded.wait())
        await asyncio.wait({ending, letting_go}, return_when=asyncio.FIRST_COMPLETED)
        let_go = letting_go.done()
        letting_go.cancel()
        self._gone()
        await _end(child, self._patience_s)
        how = await ending
        return None if let_go else how or f"status {child.returncode}"

    async def _start(self) -> Process:
        with _open_log(self._home) as errors:
            child = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                cwd=self._home.root,
                env=environment(self._home),
                start_new_session=True,
            )
        assert child.stdin is not None
        child.stdin.write(json.dumps({"port": self._wanted_port}).encode() + b"\n")
        return child

    async def _attend(self, child: Process) -> str:
        """Hear where it listens, then wait until it has ended; why it is of no use, if it said nothing usable."""
        assert child.stdout is not None
        line = b""
        try:
            async with asyncio.timeout(OPENS_S):
                line = await child.stdout.readline()
            port = _port(line)
        except TimeoutError:
            return f"it did not listen within {OPENS_S:.0f} s"
        except ValueError:
            return "it did not say where it listens" if line else f"status {await child.wait()}"
        self._listens(child.pid, port)
        while await child.stdout.read(_PIECE):
            pass
        await child.wait()
        return ""

    def _listens(self, pid: int, port: int) -> None:
        self._port = port
        write_bridge(self._home, BridgeAt(pid, port))
        wanted = self._wanted_port
        if port == wanted or not wanted:
            self._health.set("bridge", "ok", f"Browsers reach Hearth on port {port}.")
        else:
            taken = f"Port {wanted} is taken by another program; browsers reach Hearth on port {port}."
            self._health.set(
                "bridge", "warn", taken, "Set `bridge.port`, or name this port in the extension's options."
            )
        self._known.set()

    def _gone(self) -> None:
        self._port = None
        self._known.clear()
        write_bridge(self._home, None)


def _port(line: bytes) -> int:
    """The port that the child names in its one line. Raises ValueError."""
    said: Any = json.loads(line)
    port: Any = cast("dict[str, Any]", said).get("port") if isinstance(said, dict) else None
    if not isinstance(port, int) or not 0 < port < 65536:
        raise ValueError("no port")
    return port


@contextlib.contextmanager
def _open_log(home: Home) -> Generator[int]:
    path = home.logs / "bridge.log"
    fresh = os.O_TRUNC if path.exists() and path.stat().st_size > _LARGEST_LOG else 0
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | fresh, 0o600)
    try:
        yield number
    finally:
        os.close(number)


async def _end(child: Process, patience_s: float) -> None:
    """It ends when its standard input does."""
    assert child.stdin is not None
    child.stdin.close()
    try:
        async with asyncio.timeout(patience_s):
            await child.wait()
    except TimeoutError:
        log.warning("the bridge did not end by itself")
        child.kill()
        await child.wait()
