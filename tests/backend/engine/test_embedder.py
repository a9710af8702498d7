import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import numpy as np
import psutil
import pytest
import pytest_asyncio

from hearth_backend.engine import minilm_weights
from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_shared.errors import ModelUnavailable
from support.embedders import need_minilm

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_minilm()
    return tmp_path_factory.mktemp("models") / "minilm"


@pytest_asyncio.fixture
async def embedder(folder: Path) -> AsyncGenerator[MiniLMEmbedder]:
    embedder = MiniLMEmbedder(folder)
    yield embedder
    await embedder.close()


async def gone(pid: int | None) -> None:
    """Waits until a process has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        await asyncio.to_thread(psutil.Process(pid).wait, 20)


async def test_what_means_the_same_is_near(embedder: MiniLMEmbedder) -> None:
    assert await embedder.available()
    car, automobile, soup = await embedder.embed(["My car broke down.", "The automobile is defective.", "I like soup."])
    assert car @ automobile > car @ soup + 0.2


async def test_rows_come_in_the_order_of_the_texts(embedder: MiniLMEmbedder) -> None:
    texts = [f"text {'longer ' * (number % 7)}{number}" for number in range(70)]
    rows = await embedder.embed(texts)
    assert rows.shape == (70, embedder.dim)
    for place in (0, 31, 32, 69):
        assert np.abs((await embedder.embed([texts[place]]))[0] - rows[place]).max() < 1e-5


async def test_no_texts_need_no_process(embedder: MiniLMEmbedder) -> None:
    assert (await embedder.embed([])).shape == (0, embedder.dim)
    assert embedder.pid is None


async def test_a_killed_process_is_started_again(embedder: MiniLMEmbedder) -> None:
    before = await embedder.embed(["hello"])
    pid = embedder.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert np.array_equal(await embedder.embed(["hello"]), before)
    assert embedder.pid != pid


async def test_a_process_killed_while_it_works_is_started_again(embedder: MiniLMEmbedder) -> None:
    await embedder.embed(["hello"])
    asked = asyncio.create_task(embedder.embed(["word " * 100] * 64))
    await asyncio.sleep(0)
    assert embedder.pid is not None
    os.kill(embedder.pid, signal.SIGKILL)
    assert (await asked).shape == (64, embedder.dim)


async def test_an_interrupt_in_the_terminal_does_not_end_it(embedder: MiniLMEmbedder) -> None:
    await embedder.embed(["hello"])
    pid = embedder.pid
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    await embedder.embed(["hello again"])
    assert embedder.pid == pid


async def test_it_unloads_when_it_is_not_used(folder: Path) -> None:
    embedder = MiniLMEmbedder(folder, idle_s=0)
    await embedder.embed(["hello"])
    await gone(embedder.pid)
    assert (await embedder.embed(["hello"])).shape == (1, 384)
    await embedder.close()


async def test_a_question_does_not_wait_for_a_whole_bulk(embedder: MiniLMEmbedder) -> None:
    await embedder.embed(["hello"])
    bulk = asyncio.create_task(embedder.embed(["word " * 60] * 128))
    await asyncio.sleep(0)
    await embedder.embed(["a question"])
    assert not bulk.done()
    await bulk


async def test_a_caller_who_goes_away_leaves_it_in_step(embedder: MiniLMEmbedder) -> None:
    expected = await embedder.embed(["hello"])
    asked = asyncio.create_task(embedder.embed(["word " * 200] * 20))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert np.array_equal(await embedder.embed(["hello"]), expected)


async def test_it_ends_with_the_embedder(folder: Path) -> None:
    embedder = MiniLMEmbedder(folder)
    await embedder.embed(["hello"])
    pid = embedder.pid
    await embedder.close()
    assert pid is not None
    assert not psutil.pid_exists(pid)
    with pytest.raises(ModelUnavailable, match="closed"):
        await embedder.embed(["hello"])


async def test_its_environment_is_cleared(embedder: MiniLMEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTH_KEY_OPENAI", "secret")
    await embedder.embed(["hello"])
    assert set(psutil.Process(embedder.pid).environ()) <= {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "LC_CTYPE"}


async def test_a_folder_that_cannot_be_used_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be", "utf-8")
    embedder = MiniLMEmbedder(tmp_path / "blocked")
    with pytest.raises(ModelUnavailable) as refused:
        await embedder.embed(["hello"])
    assert refused.value.fix
    await embedder.close()


async def test_without_the_weights_it_is_not_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm_weights, "PACKAGE", "no-such-distribution")
    embedder = MiniLMEmbedder(tmp_path)
    assert not await embedder.available()
    await embedder.close()


async def test_the_two_variants_never_share_vectors(folder: Path) -> None:
    assert MiniLMEmbedder(folder).id != MiniLMEmbedder(folder, "int8").id
