"""Model servers that already run on this machine: found, offered, never used unasked."""

import asyncio
import logging
import time
from collections.abc import Sequence

from pydantic import SecretStr

from hearth_backend.gateway.openai_compatible import OpenAICompatible
from hearth_shared.settings import Provider as ProviderSettings

log = logging.getLogger(__name__)
KNOWN = (("ollama", 11434), ("lmstudio", 1234), ("llama-server", 8080), ("llama-server-8012", 8012))
_KNOCK_S, _FRESH_S = 0.3, 60.0


class _NoKeys:
    """A server that wants a key is set up by the person; looking around must not wake the keyring."""

    def get(self, name: str) -> SecretStr | None:
        return None


class Discovery:
    """Knocks at the known ports at start and when somebody asks for a listing, at most once a minute; never by
    itself in between."""

    def __init__(self, *, enabled: bool = True, known: Sequence[tuple[str, int]] = KNOWN) -> None:
        self._known = known if enabled else ()
        self._servers: dict[str, OpenAICompatible] = {}
        self._there: tuple[OpenAICompatible, ...] = ()
        self._fresh_until = 0.0
        self._lock = asyncio.Lock()
        self._first: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look around once, in the background."""
        self._first = asyncio.get_running_loop().create_task(self.look())

    def found(self) -> Sequence[OpenAICompatible]:
        """Those that answered the last time."""
        return self._there

    async def look(self) -> None:
        """Look around now, unless that was done a moment ago."""
        async with self._lock:
            if time.monotonic() < self._fresh_until:
                return
            there = await asyncio.gather(*(self._ask(name, port) for name, port in self._known))
            self._there = tuple(server for server in there if server is not None)
            self._fresh_until = time.monotonic() + _FRESH_S
        for server in self._there:
            log.info("%s runs on this machine", server.name)

    async def close(self) -> None:
        """Stop looking and hang up."""
        if self._first is not None:
            self._first.cancel()
            await asyncio.gather(self._first, return_exceptions=True)
        for server in self._servers.values():
            await server.close()

    async def _ask(self, name: str, port: int) -> OpenAICompatible | None:
        if not await _listens(port):
            return None
        if name not in self._servers:
            settings = ProviderSettings(url=f"http://127.0.0.1:{port}/v1", where="this machine")
            self._servers[name] = OpenAICompatible(name, settings, _NoKeys())
        server = self._servers[name]
        return server if await server.models() else None


async def _listens(port: int) -> bool:
    """Whether anybody listens: asked before an HTTP client is loaded for it."""
    try:
        async with asyncio.timeout(_KNOCK_S):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:  # refused, or (as TimeoutError) silent
        return False
    writer.close()
    return True
