"""Adds a build of the engine: fetched from a wheel index or compiled, in a process of its own, then tried.

The work is that of `packaging/build_llama.py`, which names the pinned source; its words become stages, and all of them
go to `logs/engine-<backend>.log`. It lies in the checkout, or beside an installed Hearth in `share/hearth`.
"""

import asyncio
import contextlib
import itertools
import os
import re
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from hearth_backend.engine.builds import Builds
from hearth_backend.engine.placement import Placement
from hearth_shared.errors import BuildFailed, Conflict, HearthError, NotFound
from hearth_shared.hardware import Backend, hardware, suits
from hearth_shared.protocol.models import Installation

Tell = Callable[[Mapping[str, Any]], Awaitable[int]]
PLACES: Final = (Path(__file__).parents[3], Path(sys.prefix, "share", "hearth"))
_STEP: Final = re.compile(r"\[(\d+)/(\d+)\] (.*)")
_LEFT: Final = re.compile(r"about (\d+) min left")
_EVERY_S: Final = 1.0
_OVER: Final = ("done", "failed", "cancelled")
_PASSED: Final = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "CC", "CXX", "CUDA_PATH", "CUDACXX", "HIP_PATH"),
    *("CMAKE_PREFIX_PATH", "CMAKE_BUILD_PARALLEL_LEVEL", "VULKAN_SDK", "SSL_CERT_FILE", "PIP_INDEX_URL", "PIP_CERT"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)


class Installer:
    """One installation at a time; it goes on while nobody is connected."""

    def __init__(
        self,
        builds: Builds,
        placement: Placement,
        tell: Tell,
        logs: Path,
        *,
        wheels_url: str = "",
        command: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._builds = builds
        self._placement = placement
        self._tell = tell
        self._logs = logs
        self._wheels_url = wheels_url
        self._command = command or (sys.executable, str(builder_in(PLACES)))
        self._clock = clock
        self._ids = itertools.count(1)
        self._known: dict[str, Installation] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being built: then the backend stays."""
        return self._task is not None and not self._task.done()

    @property
    def prebuilt(self) -> bool:
        """Whether builds are fetched instead of compiled."""
        return bool(self._wheels_url)

    def all(self) -> list[Installation]:
        """Those since the start, the newest last."""
        return list(self._known.values())

    def get(self, id: str) -> Installation:
        """Raises NotFound."""
        if id not in self._known:
            raise NotFound(f"There is no installation {id!r}.", "`hearth engine list` shows the builds there are.")
        return self._known[id]

    async def install(self, wanted: str) -> Installation:
        """Begin. Raises Conflict while another one is at work, BuildFailed where nothing can be built."""
        if self.busy:
            raise Conflict("A build of the engine is being made already.", "Wait for it: `hearth engine list`.")
        backend = await self._backend(wanted)
        self._check()
        id = f"build_{next(self._ids)}"
        self._known[id] = Installation(id=id, backend=backend, state="building", stage="Beginning")
        self._task = asyncio.create_task(self._run(id, backend), name=f"engine-{id}")
        return await self._changed(id, log=str(self._log(backend)))

    async def cancel(self, id: str) -> Installation:
        """Stop it; what was compiled is gone. Raises NotFound."""
        self.get(id)
        if self.busy and self._task is not None and self._known[id].state not in _OVER:
            self._task.cancel()
            await asyncio.wait([self._task])
            return await self._changed(id, state="cancelled", detail="It was stopped.", left_s=None)
        return self._known[id]

    async def close(self) -> None:
        """End what is being built."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _backend(self, wanted: str) -> Backend:
        if wanted != "auto":
            return next(known for known in ("cpu", "vulkan", "cuda", "metal", "rocm") if known == wanted)
        return suits(await asyncio.to_thread(hardware), prebuilt=self.prebuilt)[0]

    def _check(self) -> None:
        if not Path(self._command[-1]).exists():
            raise BuildFailed(
                f"What builds the engine is not where this Hearth keeps it ({self._command[-1]}).",
                "Install Hearth again, or set LLAMA_CPP_LIB_PATH to a folder with llama.cpp's libraries.",
            )
        if not self._builds.version:
            raise BuildFailed(
                "llama-cpp-python is not installed, which every build needs.",
                "`make run` in Hearth's checkout installs it; elsewhere: pip install 'hearth-agent[local]'.",
            )

    def _log(self, backend: str) -> Path:
        return self._logs / f"engine-{backend}.log"

    # -- the work

    async def _run(self, id: str, backend: Backend) -> None:
        begun = self._clock()
        try:
            last = await self._build(id, backend, begun)
            if last:
                raise BuildFailed(last, f"All it said is in {self._log(backend)}. Mend that, then try again.")
            await self._try(id, backend, begun)
        except HearthError as error:
            await self._failed(id, error)
        except OSError as error:
            await self._failed(id, BuildFailed(f"The build stopped: {error.strerror or error}.", "Try again."))

    async def _failed(self, id: str, error: HearthError) -> None:
        with contextlib.suppress(HearthError):
            await self._changed(id, state="failed", code=error.code, detail=error.detail, fix=error.fix, left_s=None)

    async def _build(self, id: str, backend: Backend, begun: float) -> str:
        """Empty when it was made, else its last words."""
        place = self._builds.place_for(backend)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        process = await asyncio.create_subprocess_exec(
            *("nice", "-n", "10", *self._command, "--backend", backend, "--libraries", str(place)),
            *("--cache", str(_cache())),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment(os.environ),
            start_new_session=True,
        )
        assert process.stderr is not None
        last, told_at = "", 0.0
        try:
            with self._log(backend).open("w", encoding="utf-8") as log:
                async for raw in process.stderr:
                    line = raw.decode("utf-8", "replace").strip()
                    log.write(f"{line}\n")
                    last = line or last
                    if line and self._clock() - told_at >= _EVERY_S:
                        told_at = self._clock()
                        await self._changed(id, **_stage(line), seconds=round(told_at - begun, 1))
            return last or "the builder said nothing" if await process.wait() else ""
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):  # compilers too: they are of its session
                    os.killpg(process.pid, signal.SIGTERM)
            await process.stderr.read()
            await process.wait()

    def _environment(self, around: Mapping[str, str]) -> dict[str, str]:
        """An index may hold a login, so it is not an argument."""
        passed = {name: around[name] for name in _PASSED if name in around}
        return passed | ({"HEARTH_WHEELS_URL": self._wheels_url} if self._wheels_url else {})

    async def _try(self, id: str, backend: Backend, begun: float) -> None:
        await self._changed(id, state="trying", stage="Trying it", percent=None, left_s=None)
        found = next((one for one in self._builds.all() if one.added and one.backend == backend and one.current), None)
        if found is None:
            raise BuildFailed(f"What was made for {backend} holds no llama.cpp that fits.", "Try again.")
        trial = await self._placement.tried(found)
        if trial.problem:
            self._builds.remove(backend)
            raise BuildFailed(
                f"The {backend} build was made, but does not work here: {trial.problem}.",
                "It was removed; the others still serve. Is its driver installed?",
            )
        if trial.gpu is None and backend != "cpu":
            detail = f"The {backend} build is here, but it finds no GPU: models go on running on the processor."
        else:
            detail = f"The {backend} build is here: {', '.join(one.detail or one.name for one in trial.devices)}."
        seconds = round(self._clock() - begun, 1)
        await self._changed(id, state="done", stage="", percent=100, detail=detail, seconds=seconds)

    async def _changed(self, id: str, **values: Any) -> Installation:
        made = self._known[id] = self._known[id].model_copy(update=values)
        seq = await self._tell({"kind": "engine", **made.model_dump(exclude={"seq"})})
        self._known[id] = self._known[id].model_copy(update={"seq": seq})
        return self._known[id]


def builder_in(places: Sequence[Path]) -> Path:
    """The script that builds: in the first place that has it, else where it should be."""
    scripts = [place / "packaging" / "build_llama.py" for place in places]
    return next((script for script in scripts if script.exists()), scripts[-1])


def _stage(line: str) -> dict[str, Any]:
    """The builder's words as a stage, how far it is, and the time left where it says so."""
    found = _STEP.match(line)
    if found is None:
        return {"stage": line[:200], "percent": None, "left_s": None}
    left = _LEFT.search(line)
    percent = 100 * int(found[1]) // max(1, int(found[2]))
    return {"stage": "Compiling", "percent": percent, "left_s": 60.0 * int(left[1]) if left else None}


def _cache() -> Path:
    """Where what was built outlives this home: set-up keeps its own there too."""
    try:
        user = Path.home()
    except RuntimeError:
        user = Path(os.curdir).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or user / ".cache", "hearth", "llama")
