"""Which build a model runs on, how many layers are tried, and what is remembered of it."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from hearth_backend.engine.builds import Build, Builds
from hearth_backend.engine.files import ModelFile, ModelFiles
from hearth_backend.engine.placement import Placement, Trial, driver_here
from hearth_backend.engine.plan import Device, Wish, gpu_bytes
from support.gguf_files import TINY, models, tiny_gguf

__all__ = ["models", "tiny_gguf"]
pytestmark = pytest.mark.engine
GB = 1_000_000_000
CARD = Device("GPU0", "A Card", "gpu", 7 * GB, 8 * GB)
CPU = Device("CPU", "A Processor", "cpu", 0, 0)
DAY_S = 86_400.0


@pytest.fixture
def file(models: Path) -> ModelFile:
    return ModelFiles(models).find(TINY)


class Bench:
    """Builds of a folder, and what trying each of them shall find."""

    def __init__(self, folder: Path, **finds: tuple[Device, ...] | str) -> None:
        for backend in finds:
            (folder / f"{backend}-1.0" / "lib").mkdir(parents=True, exist_ok=True)
            (folder / f"{backend}-1.0" / "lib" / "libllama.so").touch()
        self.builds = Builds(folder, lambda: None, "1.0")
        self.finds = finds
        self.tried: list[str] = []
        self.now = 1000.0

    async def trial(self, build: Build) -> Trial:
        self.tried.append(build.backend)
        found = self.finds[build.backend]
        return Trial(build, problem=found) if isinstance(found, str) else Trial(build, found)

    def placement(self, wanted: str = "auto", driver: Callable[[], str] = lambda: "nvidia 1") -> Placement:
        return Placement(
            self.builds,
            wanted,
            try_build=self.trial,
            room=lambda: (32 * GB, 64 * GB),
            driver=driver,
            clock=lambda: self.now,
        )


async def test_the_first_build_that_finds_a_gpu_is_used(tmp_path: Path, file: ModelFile) -> None:
    bench = Bench(tmp_path, cuda=(CPU,), vulkan=(CARD, CPU), cpu=(CPU,))
    spot = await bench.placement().spot(file, Wish(1024))
    assert bench.tried == ["cuda", "vulkan"]
    assert spot.environ == {"LLAMA_CPP_LIB_PATH": str(tmp_path / "vulkan-1.0" / "lib")}
    assert (spot.rungs, spot.plan.context) == ((5, 3, 2, 0), 1024)


@pytest.mark.logs("hearth_backend.engine.placement")
async def test_a_build_that_does_not_work_is_told_once_and_passed_over(
    tmp_path: Path, file: ModelFile, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path, vulkan="it cannot be loaded: no driver", cpu=(CPU,))
    placement = bench.placement()
    for _ in range(2):
        spot = await placement.spot(file, Wish(1024))
        assert spot.trial is not None
        assert (spot.trial.build.backend, spot.rungs) == ("cpu", (0,))
    assert caplog.text.count("no driver") == 1


async def test_the_processor_alone_is_not_tried_at_all(tmp_path: Path, file: ModelFile) -> None:
    bench = Bench(tmp_path, cpu=(CPU,))
    assert (await bench.placement().spot(file, Wish(1024))).rungs == (0,)
    assert bench.tried == []


async def test_no_build_at_all_leaves_it_to_the_engine_to_say_so(tmp_path: Path, file: ModelFile) -> None:
    spot = await Bench(tmp_path).placement().spot(file, Wish(1024))
    assert (spot.trial, spot.rungs) == (None, (0,))


async def test_a_card_of_its_own_goes_before_a_shared_one(tmp_path: Path) -> None:
    shared = Device("GPU1", "Shared", "integrated", 60 * GB, 64 * GB)
    chosen = await Bench(tmp_path, vulkan=(shared, CARD, CPU)).placement("vulkan").chosen()
    assert chosen is not None
    assert chosen.gpu == CARD


async def test_cards_share_what_the_best_does_not_hold_alone(tmp_path: Path, file: ModelFile) -> None:
    shape = file.facts.shape
    need = gpu_bytes(shape, 5, 1024, "f16")
    small = [
        Device(name, f"Card {name}", "gpu", (512 << 20) + free, 4 * GB)
        for name, free in (("GPU1", need - 1), ("GPU0", need - 2))
    ]
    shared = Device("GPU2", "Shared", "integrated", 60 * GB, 64 * GB)
    bench = Bench(tmp_path, vulkan=(small[1], shared, small[0], CPU))
    placement = bench.placement("vulkan")
    spot = await placement.spot(file, Wish(1024))
    assert [one.name for one in spot.cards] == ["GPU1", "GPU0"]
    assert sum(spot.plan.split) == spot.rungs[0] == 5
    await placement.keep(spot, 3)
    assert (await bench.placement("vulkan").spot(file, Wish(1024))).rungs[0] == 3
    bench.finds["vulkan"] = (dataclasses.replace(small[0], free=4 * GB), small[1], CPU)
    alone = await bench.placement("vulkan").spot(file, Wish(1024))
    assert ([one.name for one in alone.cards], alone.plan.split, alone.rungs[0]) == (["GPU1"], (), 5)


async def test_what_worked_is_where_the_next_start_begins(tmp_path: Path, file: ModelFile) -> None:
    bench = Bench(tmp_path, vulkan=(CARD, CPU))
    placement = bench.placement()
    await placement.keep(await placement.spot(file, Wish(1024)), 3)
    assert (await bench.placement().spot(file, Wish(1024))).rungs == (3, 2, 1, 0)


async def test_another_driver_or_file_begins_anew(tmp_path: Path, file: ModelFile, models: Path) -> None:
    bench = Bench(tmp_path, vulkan=(CARD, CPU))
    placement = bench.placement()
    await placement.keep(await placement.spot(file, Wish(1024)), 2)
    assert (await bench.placement(driver=lambda: "nvidia 2").spot(file, Wish(1024))).rungs[0] == 5
    (models / "other.gguf").write_bytes(file.path.read_bytes())
    other = ModelFiles(models).find("other")
    assert (await bench.placement().spot(other, Wish(1024))).rungs[0] == 5


async def test_that_nothing_worked_counts_for_a_day(tmp_path: Path, file: ModelFile) -> None:
    bench = Bench(tmp_path, vulkan=(CARD, CPU))
    placement = bench.placement()
    await placement.keep(await placement.spot(file, Wish(1024)), 0)
    assert (await placement.spot(file, Wish(1024))).rungs == (0,)
    bench.now += DAY_S + 1
    assert (await placement.spot(file, Wish(1024))).rungs[0] == 5


@pytest.mark.parametrize("noise", [b"", b"{", b"[]", b'{"x": "y"}', b"\xff\xfe", b"null"])
async def test_a_spoilt_memory_is_forgotten(tmp_path: Path, file: ModelFile, noise: bytes) -> None:
    bench = Bench(tmp_path, vulkan=(CARD, CPU))
    (tmp_path / "worked.json").write_bytes(noise)
    placement = bench.placement()
    spot = await placement.spot(file, Wish(1024))
    assert spot.rungs[0] == 5
    await placement.keep(spot, 5)
    assert (await placement.spot(file, Wish(1024))).rungs[0] == 5


def test_the_driver_is_named_with_its_version(tmp_path: Path) -> None:
    (tmp_path / "nvidia").mkdir()
    (tmp_path / "nvidia" / "version").write_text("550.1\n")
    assert driver_here(tmp_path) == "nvidia 550.1"
    assert driver_here(tmp_path / "none")
