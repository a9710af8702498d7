"""The person's own embedding model behind the protocol that MiniLM has."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from hearth_backend.engine.client import Engine
from hearth_backend.engine.embedder import MiniLMEmbedder
from hearth_backend.engine.embedding_record import TextEmbedder
from hearth_backend.engine.gguf_embedder import GgufEmbedder
from hearth_backend.memory.ports import Embedder
from hearth_shared.errors import BadRequest, ModelUnavailable
from hearth_shared.settings import Engine as EngineSettings
from support import tools
from support.engines import Announced
from support.gguf_files import TINY, bert, generated, models, tiny_gguf

__all__ = ["models", "tiny_gguf"]
pytestmark = pytest.mark.engine
NAME = "nomic-embed-test"  # of a family with prefixes


@pytest_asyncio.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    tools.need("llama_cpp")
    (tmp_path / f"{NAME}.gguf").write_bytes(generated("hearth-test-bert", bert).read_bytes())
    engine = Engine(EngineSettings(embed_tokens=128), tmp_path, Announced())
    yield engine
    await engine.close()


def embedder_of(engine: Engine, name: str = NAME) -> GgufEmbedder:
    return GgufEmbedder(engine, name, engine.embedding_file(name), 128)


def as_memory_sees_it(embedder: Embedder, as_the_backend: TextEmbedder) -> tuple[str, int]:
    return embedder.id, as_the_backend.dim


async def test_both_kinds_are_one_protocol_with_one_record(engine: Engine, tmp_path: Path) -> None:
    own, built_in = embedder_of(engine), MiniLMEmbedder(tmp_path / "minilm")
    assert as_memory_sees_it(own, own) == (own.record.id, 64)
    assert as_memory_sees_it(built_in, built_in) == ("all-minilm-l6-v2.fp32", 384)
    assert (own.record.max_tokens, built_in.record.max_tokens) == (128, 256)


async def test_texts_become_rows_in_their_order_however_many(engine: Engine) -> None:
    embedder = embedder_of(engine)
    texts = [f"text number {at} " * (at % 7) for at in range(40)]
    rows = await embedder.embed(texts)
    assert (rows.shape, rows.dtype) == ((40, 64), np.float32)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.abs(rows[[3, 30]] - await embedder.embed([texts[3], texts[30]])).max() < 0.01
    assert (await embedder.embed([])).shape == (0, 64)


async def test_a_question_is_read_with_another_prefix_in_the_same_space(engine: Engine) -> None:
    embedder = embedder_of(engine)
    asking = embedder.for_questions
    assert (asking.id, asking.dim) == (embedder.id, embedder.dim)
    passage, question = (await embedder.embed(["the sea"]))[0], (await asking.embed(["the sea"]))[0]
    assert np.abs(passage - question).max() > 0.01


async def test_a_text_longer_than_the_model_reads_is_cut_and_harms_nothing(engine: Engine) -> None:
    embedder = embedder_of(engine)
    rows = await embedder.embed(["a" * 2_000_000, "word " * 9000, "\ud800 \x00 �", ""])
    assert np.isfinite(rows).all()
    again = await embedder.embed(["word " * 8000])
    assert np.abs(rows[1] - again[0]).max() < 0.01


@pytest.mark.logs("hearth_backend.engine.supervisor")
async def test_a_child_that_dies_is_started_again_and_the_texts_are_read(engine: Engine) -> None:
    embedder = embedder_of(engine)
    before = await embedder.embed(["hello"])
    running = (await engine.info(NAME)).running
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    assert np.abs(await embedder.embed(["hello"]) - before).max() < 0.01


async def test_a_file_that_was_replaced_is_not_used_under_the_old_name(engine: Engine, tmp_path: Path) -> None:
    embedder = embedder_of(engine)
    assert await embedder.available()
    path = tmp_path / f"{NAME}.gguf"
    path.write_bytes(path.read_bytes() + b"\0" * 32)
    assert not await embedder.available()
    with pytest.raises(ModelUnavailable) as refusal:
        await embedder.embed(["x"])
    assert "hearth down" in refusal.value.fix
    assert embedder_of(engine).id != embedder.id


async def test_a_model_that_is_not_there_says_what_to_do(engine: Engine) -> None:
    missing = embedder_of(engine, "gone")
    assert not await missing.available()
    assert "hearth models use embed auto" in missing.fix
    with pytest.raises(ModelUnavailable, match="cannot be used"):
        await missing.embed(["x"])


async def test_a_language_model_is_not_taken_for_one(models: Path) -> None:
    engine = Engine(EngineSettings(), models, Announced())
    assert engine.embedding_file(TINY) is None
    with pytest.raises(BadRequest, match="makes no vectors"):
        async for _ in engine.embed(TINY, ["x"]):
            pass
    await engine.close()
