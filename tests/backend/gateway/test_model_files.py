from pathlib import Path

import pytest

from hearth_backend.engine.builds import Builds
from hearth_backend.engine.client import Engine
from hearth_backend.engine.placement import Placement
from hearth_backend.gateway.model_files import Shelf, listed
from hearth_shared.errors import NotFound
from hearth_shared.protocol.models import ModelFileInfo
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced
from support.gguf_files import bert, generated, tiny_gguf

__all__ = ["tiny_gguf"]
pytestmark = pytest.mark.integration


async def seen(folder: Path, chosen: str = "") -> dict[str, ModelFileInfo]:
    engine = Engine(EngineSettings(model_file=chosen), folder, Announced())
    return {file.name: file for file in await listed(engine, 512)}


async def test_a_whole_file_and_a_cut_one_are_both_told(tmp_path: Path, tiny_gguf: Path) -> None:
    content = tiny_gguf.read_bytes()
    (tmp_path / "tiny.gguf").write_bytes(content)
    (tmp_path / "cut.gguf").write_bytes(content[:-1000])
    files = await seen(tmp_path)
    tiny, cut = files["tiny.gguf"], files["cut.gguf"]
    assert (tiny.readable, tiny.model, tiny.context, tiny.test_model) == (True, "tiny", 512, True)
    assert (tiny.bytes, cut.bytes) == (len(content), len(content) - 1000)
    assert not cut.readable
    assert cut.detail.startswith("cut.gguf cannot be used: it is truncated")
    assert cut.fix.startswith("Download the file again")


async def test_a_file_that_embeds_says_so(tmp_path: Path) -> None:
    (tmp_path / "bert.gguf").write_bytes(generated("hearth-test-bert", bert).read_bytes())
    info = (await seen(tmp_path))["bert.gguf"]
    assert (info.readable, info.detail) == (True, "It embeds: `hearth models use embed` chooses it.")


async def test_a_chosen_file_that_is_gone_is_told_too(tmp_path: Path) -> None:
    info = (await seen(tmp_path, "gone.gguf"))["gone.gguf"]
    assert (info.readable, info.bytes) == (False, 0)
    assert "engine.model_file" in info.fix


def shelf(folder: Path) -> Shelf:
    settings = EngineSettings()
    placement = Placement(Builds(folder / "engine", lambda: None, "1.0"))
    return Shelf(Engine(settings, folder, Announced()), placement, settings, folder)


async def test_all_parts_of_a_model_go_and_nothing_else(tmp_path: Path, tiny_gguf: Path) -> None:
    content = tiny_gguf.read_bytes()
    for name in ("big[1]-00001-of-00002", "big[1]-00002-of-00002", "big1-00001-of-00001", "other"):
        (tmp_path / f"{name}.gguf").write_bytes(content)
    gone = await shelf(tmp_path).remove("big[1]")
    assert gone.files == ["big[1]-00001-of-00002.gguf", "big[1]-00002-of-00002.gguf"]
    assert gone.bytes == 2 * len(content)
    assert sorted(path.name for path in tmp_path.glob("*.gguf")) == ["big1-00001-of-00001.gguf", "other.gguf"]


async def test_a_broken_file_can_be_removed_and_a_link_leaves_what_it_points_to(
    tmp_path: Path, tiny_gguf: Path
) -> None:
    (tmp_path / "noise.gguf").write_bytes(b"noise")
    (tmp_path / "link.gguf").symlink_to(tiny_gguf)
    for name in ("noise", "link.gguf"):
        await shelf(tmp_path).remove(name)
    assert list(tmp_path.glob("*.gguf")) == []
    assert tiny_gguf.exists()


@pytest.mark.parametrize("name", ["", "../x", "x\n", "auto"])
async def test_what_is_not_there_is_not_removed(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        await shelf(tmp_path).remove(name)
