"""A download in its own process, as the backend sees it: told once what to fetch, then read line by line."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ARGV: Final = (sys.executable, "-I", "-m", "hearth_backend.engine.hub_worker")
# The way to the hub, and nothing that could hold a secret: the token goes over the pipe.
_PASSED: Final = (
    *("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    "HF_ENDPOINT",
)
_PATIENCE_S: Final = 5.0
_OFF: Final = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",  # a token is used only when it was given to Hearth
    "HF_HUB_DISABLE_XET": "1",  # plain HTTP: it resumes by byte ranges and goes through proxies
}


def environment(around: Mapping[str, str], endpoint: str, home: Path) -> dict[str, str]:
    """The child's whole environment; `endpoint` of the settings goes before that of the environment."""
    passed = {name: around[name] for name in _PASSED if around.get(name)}
    named = {"HF_ENDPOINT": endpoint.rstrip("/")} if endpoint else {}
    return {**passed, **named, **_OFF, "HF_HOME": str(home), "HOME": str(home)}


async def said(
    asked: Mapping[str, Any], endpoint: str, argv: Sequence[str] = ARGV
) -> AsyncGenerator[Mapping[str, Any]]:
    """What the child says, to its end. Leaving early ends it."""
    folder = Path(asked["folder"])
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # the library names addresses there, and some are signed
        env=environment(os.environ, endpoint, folder),
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it is gone, which the next lines tell
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            await process.stdin.drain()
        async for line in process.stdout:
            yield json.loads(line)
    finally:
        process.stdin.close()  # it ends by itself then
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await process.stdout.read()
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.stdout.read()
            await process.wait()
