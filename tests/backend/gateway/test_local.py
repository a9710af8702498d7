from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hearth_backend.engine.client import Engine
from hearth_backend.gateway.local import LocalEngine
from hearth_backend.gateway.messages import ChatMessage, ChatRequest, Chosen, CompletionRequest, Finished, Sampling
from hearth_shared.errors import BadRequest, NoModel, NotFound
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced
from support.gateways import CALLER, HELLO, Bench, collected, gateway_over, text_of
from support.gguf_files import TINY, models, tiny_gguf

__all__ = ["models", "tiny_gguf"]
pytestmark = pytest.mark.engine

CLOCK: dict[str, Any] = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}
SHORT = Sampling(max_tokens=6, temperature=0, seed=1)


@asynccontextmanager
async def local(folder: Path, models: Path) -> AsyncGenerator[Bench]:
    engine = Engine(EngineSettings(context=512), models, Announced())
    try:
        async with gateway_over(folder, LocalEngine(engine, context=512)) as bench:
            yield bench
    finally:
        await engine.close()


async def test_model_files_are_listed_by_their_stem_and_test_models_marked(tmp_path: Path, models: Path) -> None:
    async with local(tmp_path, models) as bench:
        (info,) = await bench.gateway.models()
        assert await bench.gateway.window("chat") == 512
    assert (info.id, info.provider, info.where, info.test_model) == (TINY, "engine", "this machine", True)
    assert info.roles == ["chat", "complete"]


async def test_a_text_is_counted_by_the_models_own_tokenizer(tmp_path: Path, models: Path) -> None:
    async with local(tmp_path, models) as bench:
        once, twice = [await bench.gateway.count("chat", "The lease ends in May. " * times) for times in (1, 2)]
    assert once is not None
    assert twice is not None
    assert 0 < once < twice <= 2 * once + 1


async def test_a_model_file_answers_and_is_metered(tmp_path: Path, models: Path) -> None:
    async with local(tmp_path, models) as bench:
        events = await collected(bench.gateway.chat(ChatRequest(HELLO.messages, sampling=SHORT), CALLER))
        (row,) = await bench.rows()
    assert isinstance(events[0], Chosen)
    assert (events[0].model, events[0].provider, events[0].test_model) == (TINY, "engine", True)
    assert isinstance(events[-1], Finished)
    assert events[-1].input_tokens > 0
    assert (row.ok, row.output_tokens, row.cost) == (True, events[-1].output_tokens, 0.0)
    assert text_of(events)


async def test_the_same_seed_writes_the_same_text_with_tools_or_without(tmp_path: Path, models: Path) -> None:
    async with local(tmp_path, models) as bench:
        request = ChatRequest([ChatMessage("user", "hi")], TINY, SHORT, tools=[CLOCK])
        first, second = [text_of(await collected(bench.gateway.chat(request, CALLER))) for _ in range(2)]
    assert first == second


async def test_a_gap_is_filled_in(tmp_path: Path, models: Path) -> None:
    async with local(tmp_path, models) as bench:
        request = CompletionRequest("def add(a, b):\n    ", "\n", sampling=SHORT)
        events = await collected(bench.gateway.complete(request, CALLER))
    assert isinstance(events[-1], Finished)
    assert events[-1].output_tokens <= 6


async def test_a_call_cannot_be_forced(tmp_path: Path, models: Path) -> None:
    async with local(tmp_path, models) as bench:
        with pytest.raises(BadRequest, match="cannot be made to call"):
            await collected(
                bench.gateway.chat(ChatRequest(HELLO.messages, tools=[CLOCK], tool_choice="required"), CALLER)
            )


async def test_a_model_that_is_not_there_is_said(tmp_path: Path, models: Path) -> None:
    async with local(tmp_path, models) as bench:
        with pytest.raises(NotFound):
            await collected(bench.gateway.chat(ChatRequest(HELLO.messages, "other"), CALLER))


async def test_an_empty_folder_has_no_model(tmp_path: Path) -> None:
    (empty := tmp_path / "models").mkdir()
    async with local(tmp_path, empty) as bench:
        with pytest.raises(NoModel):
            await collected(bench.gateway.chat(HELLO, CALLER))
