"""Whether commands of agents can be held here, found out by trying; and a place to run them."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from hearth_backend.tools.sandbox.battery import Verdict, battery
from hearth_backend.tools.sandbox.command import Room
from hearth_backend.tools.sandbox.process import Ran, run
from hearth_shared.errors import ToolOff

_INSTALL: Final = "Install bubblewrap (`apt-get install bubblewrap`), then run `hearth doctor`."
_NEEDS: Final = ("bwrap", "prlimit")


class Standing(NamedTuple):
    """`why_off` is empty while the sandbox holds."""

    why_off: str = ""
    fix: str = ""
    tried: int = 0


class Sandbox:
    """Tried at first need and whenever doctor asks, as the user who runs Hearth. `told` hears how it stands."""

    def __init__(
        self,
        told: Callable[[Standing], None] = lambda _: None,
        *,
        enabled: bool = True,
        trial: Callable[[], Awaitable[Verdict]] = battery,
    ) -> None:
        self._told = told
        self._enabled = enabled
        self._trial = trial
        self._standing: Standing | None = None
        self._trying = asyncio.Lock()

    def look(self) -> None:
        """Say at once what needs no trial: that there is nothing to try."""
        if reason := _cannot(enabled=self._enabled):
            self._told(reason)

    async def stands(self, *, again: bool = False) -> Standing:
        """How it is: what was found out before, unless it shall be tried again."""
        async with self._trying:
            if self._standing is None or again:
                self._standing = await self._try()
                self._told(self._standing)
            return self._standing

    async def run(self, room: Room, argv: Sequence[str], given: bytes = b"", *, seconds: int = 60) -> Ran:
        """Raises ToolOff where it does not hold."""
        await self.check()
        return await run(room, argv, given, seconds=seconds)

    async def check(self) -> None:
        """Raises ToolOff where it does not hold."""
        standing = await self.stands()
        if standing.why_off:
            raise ToolOff(f"Shell and Python are off: {standing.why_off}.", standing.fix)

    async def _try(self) -> Standing:
        if reason := _cannot(enabled=self._enabled):
            return reason
        verdict = await self._trial()
        if verdict.problem:
            return Standing(f"the sandbox does not start here ({verdict.problem})", _INSTALL)
        if not verdict.contains:
            return Standing(
                f"the sandbox lets through: {', '.join(verdict.open)}", "Use a newer kernel and bubblewrap."
            )
        return Standing(tried=len(verdict.held))


def _cannot(*, enabled: bool) -> Standing | None:
    """Why there is nothing to try."""
    if not enabled:
        return Standing("they were switched off", "`hearth config set tools.shell true` offers them.")
    if not sys.platform.startswith("linux"):
        return Standing("there is no sandbox for this system", "Use a Linux machine for tasks that need a shell.")
    if os.geteuid() == 0:
        return Standing("Hearth runs as root, whom no limit of processes binds", "Run Hearth as an ordinary user.")
    missing = [name for name in _NEEDS if shutil.which(name) is None]
    if missing:
        return Standing(f"{missing[0]} is not installed", _INSTALL)
    return None
