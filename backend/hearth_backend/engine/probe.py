"""Tries a build of the engine in a child: which devices it finds, and how much memory they have free now."""

import asyncio
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from hearth_backend.engine.child import environment
from hearth_backend.engine.plan import Device

log = logging.getLogger(__name__)
ARGV: Final = (sys.executable, "-I", "-m", "hearth_backend.engine.devices")
# A Vulkan driver may compile its first shaders now, which took a software device half a minute.
_LIMIT_S: Final = 90.0


class BuildUnusable(Exception):
    """Why a build cannot be used, as the end of a sentence."""


async def devices(libraries: Path, argv: Sequence[str] = ARGV, limit_s: float = _LIMIT_S) -> tuple[Device, ...]:
    """The devices of the build in this folder, the processor among them. Raises BuildUnusable."""
    child = await asyncio.create_subprocess_exec(
        *argv,
        str(libraries),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment() | {"LLAMA_CPP_LIB_PATH": str(libraries)},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limit_s):
            out, complaint = await child.communicate()
    except BaseException as error:
        child.kill()
        await child.communicate()
        if isinstance(error, TimeoutError):
            raise BuildUnusable(f"it did not load within {limit_s:.0f} s") from error
        raise
    log.debug("trying %s: %s", libraries, complaint.decode("utf-8", "replace")[-2000:])
    return _devices(out, child.returncode or 0)


def _devices(out: bytes, code: int) -> tuple[Device, ...]:
    try:
        said: Mapping[str, Any] = json.loads(out.splitlines()[-1])
    except (ValueError, IndexError):
        how = f"signal {-code}" if code < 0 else f"status {code}"
        raise BuildUnusable(f"its process was ended by {how} while it loaded") from None
    if error := said.get("error"):
        raise BuildUnusable(f"it cannot be loaded: {error}")
    return tuple(Device(**one) for one in said["devices"])
