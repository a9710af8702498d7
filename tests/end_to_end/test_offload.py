"""Offload, real from detection to fallback: llama.cpp's Vulkan backend on Mesa's software device (`make test-gpu`)."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hearth_backend.engine import probe
from hearth_backend.engine.builds import Build, Builds
from hearth_backend.engine.client import Engine
from hearth_backend.engine.files import ModelFiles
from hearth_backend.engine.frames import Piece
from hearth_backend.engine.placement import Placement
from hearth_backend.engine.plan import Wish, cells, gpu_bytes
from hearth_backend.engine.sampling import Sampling
from hearth_shared.protocol.events import EventType
from hearth_shared.settings import Engine as EngineSettings
from support import vulkan
from support.engines import Announced, heard, text_of
from support.gguf_files import TINY, generated, generator, models, tiny_gguf

__all__ = ["models", "tiny_gguf"]
pytestmark = [pytest.mark.gpu, pytest.mark.timeout(600)]  # its shaders are compiled for each processor once
ALL_OF_TINY = 5  # four layers, and the output
PROMPT = "def main():"
MB = 1 << 20

Engines = Callable[..., Engine]


@pytest.fixture(autouse=True)
def software_device(monkeypatch: pytest.MonkeyPatch) -> None:
    vulkan.device(monkeypatch)


@pytest.fixture
def announced() -> Announced:
    return Announced()


@pytest.fixture
def build() -> Build:
    return vulkan.build()


@pytest.fixture
def builds(tmp_path: Path) -> Builds:
    return vulkan.builds_in(tmp_path / "engine")


@pytest_asyncio.fixture
async def engines(models: Path, announced: Announced, builds: Builds) -> AsyncIterator[Engines]:
    """Makes engines with that build beside the installed one, and ends them."""
    made: list[Engine] = []

    def make(layers: int = -1, *, folder: Path = models, placement: Placement | None = None) -> Engine:
        settings = EngineSettings(context=512, gpu_layers=layers, threads=1)
        made.append(Engine(settings, folder, announced, placement=placement or Placement(builds)))
        return made[-1]

    yield make
    for engine in made:
        await engine.close()


async def likelihoods(engine: Engine) -> dict[str, float]:
    """The likeliest first tokens after the prompt, with the logarithms of their probabilities."""
    events = await heard(engine.complete("", PROMPT, None, Sampling(max_tokens=1, temperature=0, logprobs=5)))
    pieces = [event for event in events if isinstance(event, Piece)]
    return dict(pieces[0].logprobs[0][2])


def of(announced: Announced, kind: EventType) -> list[dict[str, Any]]:
    return [dict(data) for one, data in announced if one == kind]


async def test_the_device_is_found_with_its_memory(build: Build) -> None:
    found = {one.kind: one for one in await probe.devices(build.libraries)}
    gpu = found["gpu"]
    assert "llvmpipe" in gpu.detail
    assert 0 < gpu.free <= gpu.total
    assert "cpu" in found


@pytest.mark.parametrize("layers", [-1, 2], ids=["all layers", "two layers"])
async def test_layers_on_the_device_give_the_processor_s_likelihoods(
    engines: Engines, announced: Announced, layers: int
) -> None:
    there = await likelihoods(engines(layers))
    assert of(announced, EventType.MODEL_READY)[-1]["gpu_layers"] == (ALL_OF_TINY if layers < 0 else layers)
    here = await likelihoods(engines(0))
    assert of(announced, EventType.MODEL_READY)[-1]["gpu_layers"] == 0
    assert EventType.MODEL_FALLBACK not in announced.kinds
    common = there.keys() & here.keys()
    assert len(common) >= 4
    assert max(abs(there[token] - here[token]) for token in common) < 0.05


@pytest.fixture(scope="session")
def wide() -> Path:
    """A model whose layers outweigh what computing them takes: 4 MB each, the output 1 MB."""
    shape = generator().Shape(1024, 500_000, 512, 8, 8, 2, 1024, 2048, 3)
    return generated("hearth-test-wide", lambda path: generator().make_llama(path, shape))


async def test_fewer_layers_are_tried_until_the_device_takes_them_and_that_is_remembered(
    engines: Engines, announced: Announced, builds: Builds, wide: Path
) -> None:
    facts = ModelFiles(wide.parent, str(wide)).find(wide.stem).facts
    most = 4 * max(facts.shape.layers)  # 9 of 9 do not fit, nor do 6, which are the output and 5 layers; 4 do
    engine = engines(folder=wide.parent, placement=vulkan.Scarce(builds, most))
    assert text_of(await heard(engine.complete(wide.stem, PROMPT, None, Sampling(max_tokens=4, temperature=0))))
    fallen = of(announced, EventType.MODEL_FALLBACK)
    assert [(one["tried_gpu_layers"], one["gpu_layers"]) for one in fallen] == [(9, 6), (6, 4)]
    assert all("Vulkan0" in one["reason"] for one in fallen), fallen
    assert of(announced, EventType.MODEL_READY)[-1]["gpu_layers"] == 4
    remembered: dict[str, Any] = json.loads((builds.folder / "worked.json").read_bytes())
    assert [(layers, "llvmpipe" in key) for key, (layers, _) in remembered.items()] == [(4, True)]
    announced.clear()
    again = engines(folder=wide.parent, placement=vulkan.Scarce(builds, most))
    await heard(again.complete(wide.stem, PROMPT, None, Sampling(max_tokens=1)))
    assert EventType.MODEL_FALLBACK not in announced.kinds


async def test_a_device_that_takes_nothing_leaves_it_to_the_processor(
    engines: Engines, announced: Announced, builds: Builds
) -> None:
    engine = engines(placement=vulkan.Scarce(builds, 1024))
    assert text_of(await heard(engine.complete(TINY, PROMPT, None, Sampling(max_tokens=4, temperature=0))))
    assert [one["gpu_layers"] for one in of(announced, EventType.MODEL_FALLBACK)] == [3, 2, 0]
    assert of(announced, EventType.MODEL_READY)[-1]["gpu_layers"] == 0


async def test_without_a_driver_the_processor_answers(
    engines: Engines, announced: Announced, monkeypatch: pytest.MonkeyPatch
) -> None:
    vulkan.use_driver(monkeypatch, "/nowhere.json")
    assert text_of(await heard(engines().complete(TINY, PROMPT, None, Sampling(max_tokens=4, temperature=0))))
    assert of(announced, EventType.MODEL_READY)[-1]["gpu_layers"] == 0


@pytest.mark.logs("hearth_backend.engine.placement")
async def test_a_driver_that_dies_takes_nothing_with_it(
    engines: Engines, announced: Announced, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    vulkan.use_driver(monkeypatch, vulkan.broken_driver(tmp_path))
    assert text_of(await heard(engines().complete(TINY, PROMPT, None, Sampling(max_tokens=4, temperature=0))))
    assert of(announced, EventType.MODEL_READY)[-1]["gpu_layers"] == 0
    assert "signal 6" in caplog.text


def taken(build: Build, *arguments: str) -> dict[str, int]:
    """What the model takes on the device, each kind of buffer."""
    around = {**os.environ, "LLAMA_CPP_LIB_PATH": str(build.libraries), "PYTHONPATH": "tests"}
    command = [sys.executable, "-m", "support.gpu_memory", *arguments]
    done = subprocess.run(command, env=around, capture_output=True, text=True, timeout=300, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("split", [(5, 4), (1, 8), (8, 1)])
async def test_each_of_two_devices_takes_the_layers_it_is_given(
    build: Build, wide: Path, monkeypatch: pytest.MonkeyPatch, split: tuple[int, int]
) -> None:
    vulkan.two_devices(monkeypatch)
    shape = ModelFiles(wide.parent, str(wide)).find(wide.stem).facts.shape
    each = [f"Vulkan{at}={layers}" for at, layers in enumerate(split)]
    real = await asyncio.to_thread(taken, build, str(wide), "9", "512", "512", "f16", *each)
    held = [sum(shape.layers[: split[0]]), sum(shape.layers[split[0] :]) + shape.output]
    for at, size in enumerate(held):
        assert real[f"Vulkan{at} model"] == pytest.approx(size, abs=MB)


async def test_two_devices_give_the_processor_s_likelihoods(
    engines: Engines, announced: Announced, builds: Builds, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vulkan.two_devices(monkeypatch)
    placement = vulkan.Crowded(builds, gpu_bytes(ModelFiles(models).find(TINY).facts.shape, ALL_OF_TINY, 512, "f16"))
    spot = await placement.spot(ModelFiles(models).find(TINY), Wish(512))
    assert [card.name for card in spot.cards] == ["Vulkan0", "Vulkan1"]
    assert sum(spot.plan.split) == ALL_OF_TINY
    there = await likelihoods(engines(placement=placement))
    assert of(announced, EventType.MODEL_READY)[-1]["gpu_layers"] == ALL_OF_TINY
    assert EventType.MODEL_FALLBACK not in announced.kinds
    here = await likelihoods(engines(0))
    common = there.keys() & here.keys()
    assert len(common) >= 4
    assert max(abs(there[token] - here[token]) for token in common) < 0.05


@pytest.mark.parametrize("kv_type", ["f16", "q8_0"])
async def test_the_plan_foresees_what_the_device_gives(build: Build, builds: Builds, wide: Path, kv_type: str) -> None:
    file = ModelFiles(wide.parent, str(wide)).find(wide.stem)
    spot = await Placement(builds).spot(file, Wish(2048))
    assert (spot.plan.gpu_layers, spot.plan.context, spot.plan.kv_type) == (9, 2048, "f16")
    assert "llvmpipe" in " ".join(spot.plan.reasons)
    room = cells(file.facts.shape, 2048)
    real = await asyncio.to_thread(taken, build, str(wide), "9", "2048", str(room), kv_type)
    planned = gpu_bytes(file.facts.shape, 9, 2048, kv_type)
    held = real["model"] + real["KV"]
    assert planned >= sum(real[kind] for kind in ("model", "KV", "compute"))
    assert held <= planned <= held + 64 * MB
