from pathlib import Path

import pytest

from hearth_backend.engine.client import Engine
from hearth_backend.gateway.model_files import listed
from hearth_shared.protocol.models import ModelFileInfo
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced
from support.gguf_files import generated, generator, tiny_gguf

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


async def test_a_file_that_writes_nothing_says_so(tmp_path: Path) -> None:
    bert = generated("hearth-test-bert", lambda path: generator().make_bert(path))
    (tmp_path / "bert.gguf").write_bytes(bert.read_bytes())
    info = (await seen(tmp_path))["bert.gguf"]
    assert (info.readable, info.detail) == (True, "It writes no text, so it cannot answer.")


async def test_a_chosen_file_that_is_gone_is_told_too(tmp_path: Path) -> None:
    info = (await seen(tmp_path, "gone.gguf"))["gone.gguf"]
    assert (info.readable, info.bytes) == (False, 0)
    assert "engine.model_file" in info.fix
