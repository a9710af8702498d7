"""What answers is made to answer."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_backend.observe.checks import models as checks
from hearth_shared.errors import EngineCrashed
from hearth_shared.protocol.models import ModelFileInfo, ModelInfo
from support.tools import need

pytestmark = pytest.mark.integration
LOCAL = ModelInfo(id="qwen", provider="engine", where="this machine", roles=["chat"])
CLOUD = ModelInfo(id="gpt", provider="openai", where="cloud", roles=["chat"])
EMBED = ModelInfo(id="minilm", provider="engine", where="this machine", roles=["embed"])


class Listed:
    """Lists models; the one asked writes `text`."""

    def __init__(self, *models: ModelInfo, text: str = "Hello.") -> None:
        self._models = models
        self._text = text
        self.asked: list[str] = []

    async def list(self) -> Sequence[ModelInfo]:
        return self._models

    async def generate(self, model: ModelInfo) -> str:
        self.asked.append(model.id)
        return self._text


class Placed:
    """An embedder that puts each text where it is told."""

    id = "placed"

    def __init__(self, *angles: float, installed: bool = True) -> None:
        self._angles = np.radians(angles)
        self._installed = installed

    async def available(self) -> bool:
        return self._installed

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        assert len(texts) == len(self._angles)
        return np.stack([np.cos(self._angles), np.sin(self._angles)], axis=1).astype(np.float32)


async def test_a_local_model_that_writes_is_ok() -> None:
    models = Listed(CLOUD, LOCAL)
    check = await checks.generation(models.list, models.generate)
    assert check.state == "ok"
    assert models.asked == ["qwen"]


async def test_a_test_model_is_called_one() -> None:
    models = Listed(LOCAL.model_copy(update={"test_model": True}))
    assert "a test model" in (await checks.generation(models.list, models.generate)).detail


async def test_a_model_that_writes_nothing_is_a_fault() -> None:
    models = Listed(LOCAL, text="")
    assert (await checks.generation(models.list, models.generate)).state == "fault"


async def test_a_model_that_dies_is_a_fault_with_its_reason() -> None:
    async def die(model: ModelInfo) -> str:
        raise EngineCrashed("The engine died.", "It is started again.")

    check = await checks.generation(Listed(LOCAL).list, die)
    assert (check.state, check.fix) == ("fault", "It is started again.")


async def test_a_cloud_model_alone_is_not_asked() -> None:
    models = Listed(CLOUD)
    check = await checks.generation(models.list, models.generate)
    assert check.state == "ok"
    assert not models.asked


async def test_no_model_is_a_warning_with_the_way_to_one() -> None:
    models = Listed(EMBED)
    check = await checks.generation(models.list, models.generate)
    assert check.state == "warn"
    assert "hearth models list" in check.fix


async def test_a_model_file_that_cannot_be_used_is_named_with_its_fix() -> None:
    whole = ModelFileInfo(name="a.gguf", path="models/a.gguf", bytes=9, readable=True, model="a")
    cut = whole.model_copy(update={"readable": False, "detail": "b.gguf is cut off.", "fix": "Fetch it."})

    async def both() -> list[ModelFileInfo]:
        return [whole, cut]

    async def one() -> list[ModelFileInfo]:
        return [whole]

    async def none() -> list[ModelFileInfo]:
        return []

    broken = await checks.files(both)
    assert (broken.state, broken.detail, broken.fix) == ("warn", "b.gguf is cut off.", "Fetch it.")
    assert ((await checks.files(one)).state, (await checks.files(none)).state) == ("ok", "ok")
    assert "a.gguf" in (await checks.files(one)).detail


async def test_an_embedder_that_knows_near_from_far_is_ok() -> None:
    assert (await checks.embeddings(Placed(0, 20, 80))).state == "ok"


async def test_an_embedder_that_takes_far_for_near_is_a_fault() -> None:
    assert (await checks.embeddings(Placed(0, 80, 20))).state == "fault"


async def test_an_embedder_that_misses_its_known_answer_is_a_fault() -> None:
    known = {"placed": (float(np.cos(np.radians(20))), float(np.cos(np.radians(80))))}
    assert (await checks.embeddings(Placed(0, 20, 80), known)).state == "ok"
    assert (await checks.embeddings(Placed(0, 40, 80), known)).state == "fault"


@pytest.mark.parametrize("variant", ["fp32", "int8"])
async def test_the_built_in_embedder_finds_what_is_known_of_it(variant: str, tmp_path: Path) -> None:
    embedder = MiniLMEmbedder(tmp_path, variant)
    if not await embedder.available():
        pytest.skip("needs minilm")
    try:
        check = await checks.embeddings(embedder)
    finally:
        await embedder.close()
    assert embedder.id in checks.KNOWN
    assert check.state == "ok"


async def test_an_embedder_that_is_not_installed_is_a_warning() -> None:
    assert (await checks.embeddings(Placed(installed=False))).state == "warn"


async def test_llama_cpp_loads_in_a_child() -> None:
    need("llama_cpp")
    check = await checks.engine()
    assert check.state == "ok"
    assert "llama-cpp-python" in check.detail


@pytest.mark.parametrize(
    ("program", "state", "said"),
    [
        ("print('noise'); print('[\"0.3.36\", true]')", "ok", "GPU it was built for"),
        ("print('[\"0.3.36\", false]')", "ok", "no GPU support"),
        ("import nothing_of_that_name", "warn", "not installed"),
        ("raise OSError('libllama.so: illegal')", "fault", "libllama.so: illegal"),
        ("import os; os.kill(os.getpid(), 4)", "fault", "signal 4"),
    ],
)
async def test_each_way_a_library_loads_or_not_is_told_apart(program: str, state: str, said: str) -> None:
    check = await checks.engine((sys.executable, "-I", "-c", program))
    assert check.state == state
    assert said in check.detail


async def test_a_library_that_hangs_is_ended_and_a_fault() -> None:
    endless = "import threading; threading.Event().wait()"
    check = await checks.engine((sys.executable, "-I", "-c", endless), limit_s=0.3)
    assert check.state == "fault"
    assert "0.3 s" in check.detail


async def test_servers_on_this_machine_are_named() -> None:
    async def two() -> list[str]:
        return ["Ollama at http://127.0.0.1:11434", "LM Studio at http://127.0.0.1:1234"]

    async def none() -> list[str]:
        return []

    assert (await checks.servers(two)).detail.startswith("Found on this machine: LM Studio")
    assert (await checks.servers(none)).state == "ok"
