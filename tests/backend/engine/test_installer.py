"""Adding builds of the engine: stages, trying what was made, failing aloud, stopping."""

import asyncio
import itertools
import shutil
import subprocess
import sys
import tomllib
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hearth_backend.engine.builds import Builds
from hearth_backend.engine.installer import Installer, builder_in
from hearth_backend.engine.placement import Placement
from hearth_shared.errors import BuildFailed, Conflict, NotFound
from support.fake_ggml import Card, make_build

pytestmark = pytest.mark.engine
CARD = Card("A Card", 7_000_000_000, 8_000_000_000)
ROOT = Path(__file__).parents[3]
BUILDER = Path(__file__).parents[2] / "support" / "scripted_builder.py"


class Told(list[Mapping[str, Any]]):
    """The events, and a way to wait for one."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Condition()

    async def __call__(self, data: Mapping[str, Any]) -> int:
        async with self._more:
            self.append(data)
            self._more.notify_all()
        return len(self)

    async def until(self, **values: Any) -> Mapping[str, Any]:
        def seen() -> bool:
            return any(all(one[name] == value for name, value in values.items()) for one in self)

        async with asyncio.timeout(60), self._more:
            await self._more.wait_for(seen)
        return self[-1]


class Bench:
    """An installer on a builder of the tests."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.script = Path(shutil.copy(BUILDER, folder / "builder.py"))
        self.builds = Builds(folder / "engine", lambda: None, "1.0")
        self.told = Told()
        self.installer = self.made_of(self.script)

    def made_of(self, script: Path) -> Installer:
        steps = itertools.count(0, 5)  # so that every line of the builder is told
        command = (sys.executable, str(script))
        placement = Placement(self.builds)
        return Installer(self.builds, placement, self.told, self.folder, command=command, clock=lambda: next(steps))


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncGenerator[Bench]:
    bench = Bench(tmp_path / "bench")
    yield bench
    await bench.installer.close()


async def test_a_build_is_made_tried_and_there(bench: Bench) -> None:
    make_build(bench.folder / "made", CARD)
    begun = await bench.installer.install("vulkan")
    assert (begun.state, bench.installer.busy) == ("building", True)
    end = await bench.told.until(state="done")
    assert end["detail"] == "The vulkan build is here: A Card, A Processor."
    stages = [(one["stage"], one["percent"], one["left_s"]) for one in bench.told if one["state"] == "building"]
    assert ("Compiling", 50, 180.0) in stages
    assert ("Compiling", 100, None) in stages
    assert [one.backend for one in bench.builds.all()] == ["vulkan"]
    assert "[2/2] compiling" in (bench.folder / "engine-vulkan.log").read_text()


async def test_a_build_that_finds_no_gpu_says_so(bench: Bench) -> None:
    make_build(bench.folder / "made")
    await bench.installer.install("vulkan")
    assert "finds no GPU" in (await bench.told.until(state="done"))["detail"]


async def test_a_build_that_does_not_work_here_is_removed(bench: Bench) -> None:
    make_build(bench.folder / "made", CARD, way="aborts")
    await bench.installer.install("cuda")
    end = await bench.told.until(state="failed")
    assert (end["code"], "signal 6" in end["detail"]) == ("build_failed", True)
    assert bench.builds.all() == []


async def test_a_compiler_s_last_words_are_told(bench: Bench) -> None:
    await bench.installer.install("vulkan")
    end = await bench.told.until(state="failed")
    assert end["detail"] == "llama-cpp-python could not be built."
    assert "engine-vulkan.log" in end["fix"]
    assert "no vulkan.h" in (bench.folder / "engine-vulkan.log").read_text()


async def test_one_at_a_time_and_it_can_be_stopped(bench: Bench) -> None:
    (bench.folder / "waits").touch()
    begun = await bench.installer.install("vulkan")
    await bench.told.until(stage="Compiling")
    with pytest.raises(Conflict):
        await bench.installer.install("cpu")
    over = await bench.installer.cancel(begun.id)
    assert (over.state, bench.installer.busy) == ("cancelled", False)
    assert bench.builds.all() == []
    assert (await bench.installer.cancel(begun.id)).state == "cancelled"


def test_the_builder_is_that_of_the_checkout_else_the_installed_one(tmp_path: Path) -> None:
    checkout, installed = tmp_path / "checkout", tmp_path / "share" / "hearth"
    assert builder_in((checkout, installed)) == installed / "packaging" / "build_llama.py"
    (checkout / "packaging").mkdir(parents=True)
    (checkout / "packaging" / "build_llama.py").touch()
    assert builder_in((checkout, installed)) == checkout / "packaging" / "build_llama.py"


def test_an_installed_hearth_holds_all_that_its_builder_needs(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for source, target in project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"].items():
        place = tmp_path / target
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / source, place)
    script = builder_in((tmp_path / "nowhere", tmp_path / "share" / "hearth"))
    command = [sys.executable, str(script), "--backend", "vulkan", "--libraries", str(tmp_path / "out")]
    around = {"PATH": "/nowhere", "HOME": str(tmp_path)}
    done = subprocess.run(command, env=around, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, "needs glslc" in done.stderr) == (1, True), done.stderr


async def test_without_its_builder_it_says_what_else_there_is(bench: Bench) -> None:
    with pytest.raises(BuildFailed, match="is not where this Hearth keeps it"):
        await bench.made_of(bench.folder / "nowhere.py").install("cpu")


async def test_auto_takes_what_suits(bench: Bench) -> None:
    make_build(bench.folder / "made", CARD)
    begun = await bench.installer.install("auto")
    assert begun.backend in ("cpu", "vulkan", "cuda", "metal", "rocm")
    await bench.told.until(state="done")


def test_an_installation_nobody_began_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.installer.get("build_9")
