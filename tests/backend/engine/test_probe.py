"""Builds are tried in children: what works tells its devices, what does not tells why, and nothing dies of it."""

from pathlib import Path

import pytest

from hearth_backend.engine import probe
from hearth_backend.engine.builds import installed_libraries
from hearth_backend.engine.probe import BuildUnusable
from support import tools
from support.fake_ggml import Card, make_build

pytestmark = pytest.mark.engine
CARD = Card("A Card", 7_000_000_000, 8_000_000_000)


async def test_the_installed_build_finds_the_processor() -> None:
    tools.need("llama_cpp")
    libraries = installed_libraries()
    assert libraries is not None
    (cpu,) = [one for one in await probe.devices(libraries) if one.kind == "cpu"]
    assert cpu.total > 0


async def test_a_card_is_told_with_its_memory_of_now(tmp_path: Path) -> None:
    found = await probe.devices(make_build(tmp_path / "lib", CARD, Card("Shared", 1, 2, kind=2)))
    assert [(one.detail, one.kind, one.free, one.total) for one in found] == [
        ("A Card", "gpu", 7_000_000_000, 8_000_000_000),
        ("Shared", "integrated", 1, 2),
        ("A Processor", "cpu", 0, 0),
    ]


@pytest.mark.parametrize(("way", "why"), [("aborts", "signal 6"), ("lacks", "ggml_backend_dev_get")])
async def test_a_build_that_does_not_work_tells_why(tmp_path: Path, way: str, why: str) -> None:
    with pytest.raises(BuildUnusable, match=why):
        await probe.devices(make_build(tmp_path / "lib", CARD, way=way))  # pyright: ignore[reportArgumentType]


async def test_a_build_that_hangs_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(BuildUnusable, match="did not load"):
        await probe.devices(make_build(tmp_path / "lib", CARD, way="hangs"), limit_s=1)


async def test_files_that_are_no_libraries_tell_so(tmp_path: Path) -> None:
    (tmp_path / "libggml.so").write_bytes(b"noise")
    (tmp_path / "libggml-base.so").write_bytes(b"noise")
    with pytest.raises(BuildUnusable, match="cannot be loaded"):
        await probe.devices(tmp_path)


async def test_an_empty_folder_is_no_build(tmp_path: Path) -> None:
    with pytest.raises(BuildUnusable, match="holds no ggml-base"):
        await probe.devices(tmp_path)
