"""Where a model runs: chooses the build by trying, plans its layers, and remembers what worked.

What worked is kept per model file, device and driver in `engine/worked.json`: the next start begins there, and not
with what failed before.
"""

import asyncio
import contextlib
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hearth_backend.engine import probe
from hearth_backend.engine.builds import Build, Builds
from hearth_backend.engine.files import ModelFile
from hearth_backend.engine.memory_here import memory_here
from hearth_backend.engine.offload import rungs
from hearth_backend.engine.plan import Device, Plan, Room, Wish, plan
from hearth_backend.engine.probe import BuildUnusable

log = logging.getLogger(__name__)
NO_ROOM: Final = Room(0, 0)
_DAY_S: Final = 86_400
_MODULES: Final = ("nvidia", "amdgpu", "i915", "xe", "nouveau")


@dataclass(frozen=True, slots=True)
class Trial:
    """A build, and what came of trying it."""

    build: Build
    devices: tuple[Device, ...] = ()
    problem: str = ""

    @property
    def gpu(self) -> Device | None:
        """The device with most free memory, a card of its own before one that shares the machine's."""
        return self.cards[0] if self.cards else None

    @property
    def cards(self) -> tuple[Device, ...]:
        """The GPUs that may share a model, the best first: all cards of their own, or else the best shared one."""
        found = [one for one in self.devices if one.kind in ("gpu", "integrated")]
        found.sort(key=lambda one: (one.kind == "gpu", one.free), reverse=True)
        return tuple(one for at, one in enumerate(found) if at == 0 or one.kind == "gpu")

    @property
    def others(self) -> tuple[Device, ...]:
        """The cards beside the best."""
        return self.cards[1:]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a model is to run: the child's environment, the layers to try in turn, and the plan behind it."""

    environ: Mapping[str, str]
    rungs: tuple[int, ...]
    plan: Plan
    trial: Trial | None
    key: str = ""
    room: Room = NO_ROOM

    @property
    def cards(self) -> tuple[Device, ...]:
        """The GPUs that the plan is for, the best first."""
        return self.trial.cards[: max(1, len(self.plan.split))] if self.trial else ()


class Placement:
    """Chooses for each load anew: free memory is what it is now. `wanted` is the backend of the settings."""

    def __init__(
        self,
        builds: Builds,
        wanted: str = "auto",
        *,
        try_build: Callable[[Build], Awaitable[Trial]] | None = None,
        room: Callable[[], tuple[int, int]] = memory_here,
        driver: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.builds = builds
        self.wanted = wanted
        self._try = try_build or _tried
        self._room = room
        self._driver = driver or driver_here
        self._clock = clock
        self._worked = builds.folder / "worked.json"
        self._told: set[str] = set()

    async def spot(self, file: ModelFile, wish: Wish) -> Spot:
        """Where this file runs, and what to try there."""
        trial = await self.chosen()
        gpu = trial.gpu if trial else None
        free, total = await asyncio.to_thread(self._room)
        room = Room(free, total, gpu, trial.others if trial else ())
        made = plan(file.facts.shape, room, wish)
        environ = {"LLAMA_CPP_LIB_PATH": str(trial.build.libraries)} if trial and trial.build.added else {}
        if gpu is None or made.gpu_layers == 0:
            return Spot(environ, (0,), made, trial, room=room)
        used = Spot(environ, (), made, trial).cards
        key = _key(file, trial.build if trial else None, used, self._driver())
        most = await asyncio.to_thread(self._known, key)
        first = made.gpu_layers if most is None else min(most, made.gpu_layers)
        return Spot(environ, rungs(file.facts.layers, first), made, trial, key, room)

    async def chosen(self) -> Trial | None:
        """The build that is used: the first that finds a GPU, else the first that loads; None when none does."""
        builds = await asyncio.to_thread(self.builds.candidates, self.wanted)
        if len(builds) == 1 and builds[0].backend == "cpu":  # there is nothing to choose, so no child need try it
            return Trial(builds[0])
        usable: Trial | None = None
        for build in builds:
            trial = await self._try(build)
            if trial.problem:
                self._tell_once(build, trial.problem)
            elif trial.gpu is not None:
                return trial
            else:
                usable = usable or trial
        return usable

    async def tried(self, build: Build) -> Trial:
        """One build, tried now."""
        return await self._try(build)

    async def keep(self, spot: Spot, layers: int) -> None:
        """So many layers worked there."""
        if spot.key:
            await asyncio.to_thread(self._write, spot.key, layers)

    def _tell_once(self, build: Build, problem: str) -> None:
        if (said := f"{build.libraries} {problem}") not in self._told:
            self._told.add(said)
            log.warning("the %s build of llama.cpp is not used: %s", build.backend, problem)

    def _known(self, key: str) -> int | None:
        """How many layers worked; that none did counts for a day, for another program may have been in the way."""
        layers, at = self._read().get(key, (None, 0.0))
        return None if layers == 0 and self._clock() - at > _DAY_S else layers

    def _read(self) -> dict[str, tuple[int, float]]:
        try:
            found: dict[str, Any] = json.loads(self._worked.read_bytes())
            return {key: (int(layers), float(at)) for key, (layers, at) in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _write(self, key: str, layers: int) -> None:
        draft = self._worked.with_suffix(".part")
        with contextlib.suppress(OSError):  # forgotten: it is found out again
            self._worked.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_text(json.dumps({**self._read(), key: (layers, self._clock())}, indent=1), "utf-8")
            draft.replace(self._worked)


async def _tried(build: Build) -> Trial:
    try:
        return Trial(build, await probe.devices(build.libraries))
    except BuildUnusable as error:
        return Trial(build, problem=str(error))
    except OSError as error:
        return Trial(build, problem=f"it cannot be tried: {error.strerror or error}")


def _key(file: ModelFile, build: Build | None, cards: Sequence[Device], driver: str) -> str:
    size, changed = file.stamp
    made_by = f"{build.backend} {build.version}" if build else ""
    names, totals = " + ".join(one.detail or one.name for one in cards), " + ".join(str(one.total) for one in cards)
    return " | ".join((file.id, str(size), str(changed), made_by, names, totals, driver))


def driver_here(root: Path = Path("/sys/module")) -> str:
    """The GPU's driver and its version: its own, or the kernel's for one that comes with it."""
    for name in _MODULES:
        if (root / name).is_dir():
            with contextlib.suppress(OSError):
                return f"{name} {(root / name / 'version').read_text('ascii').strip()}"
            return f"{name} {os.uname().release}"
    return os.uname().release
