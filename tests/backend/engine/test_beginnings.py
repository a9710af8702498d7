"""A system prompt is read once, whatever becomes of the engine's process."""

import asyncio
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from hearth_backend.engine.client import Engine
from hearth_backend.engine.frames import Ended
from hearth_backend.engine.sampling import Sampling
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced, begun, end_of, heard, text_of, user
from support.gguf_files import TINY, generated, tiny

pytestmark = pytest.mark.engine
SYSTEM = [{"role": "system", "content": "You are careful, and answer in few words. " * 12}]
GREEDY = Sampling(max_tokens=12, temperature=0)


def started(models: Path, states: Path | None) -> Engine:
    return Engine(EngineSettings(context=1024), models, Announced(), states=states)


async def asked(engine: Engine, text: str, system: Sequence[dict[str, str]] = SYSTEM) -> tuple[str, Ended]:
    events = await heard(engine.chat(TINY, [*system, *user(text)], GREEDY))
    return text_of(events), end_of(events)


async def kept_by(models: Path, states: Path) -> list[Path]:
    """The files of an engine that was asked once and closed."""
    engine = started(models, states)
    await asked(engine, "hello")
    await written(states, 1)  # by a thread of the engine, in its own time
    await engine.close()
    return sorted(states.iterdir())


async def written(states: Path, count: int) -> None:
    """Wait until so many beginnings are on disk."""
    async with asyncio.timeout(60):
        while True:
            if len(list(states.glob("*.kv"))) >= count:
                return
            await asyncio.sleep(0)


async def test_a_new_engine_goes_on_from_the_kept_system_prompt(models: Path, tmp_path: Path) -> None:
    states = tmp_path / "kv"
    engine = started(models, None)
    expected, cold = await asked(engine, "what is the sea?")
    await engine.close()
    assert len(await kept_by(models, states)) == 1
    engine = started(models, states)
    said, warm = await asked(engine, "what is the sea?")
    await engine.close()
    assert said == expected
    assert cold.cached_tokens == 0
    assert warm.cached_tokens > 128
    assert warm.prompt_tokens - warm.cached_tokens < 40


async def test_a_damaged_file_costs_reading_again_and_nothing_else(models: Path, tmp_path: Path) -> None:
    states = tmp_path / "kv"
    (file,) = await kept_by(models, states)
    file.write_bytes(file.read_bytes()[:-100])
    engine = started(models, states)
    said, end = await asked(engine, "hello")
    assert (bool(said), end.cached_tokens) == (True, 0)
    await engine.close()


async def test_short_system_prompts_are_not_kept(models: Path, tmp_path: Path) -> None:
    engine = started(models, tmp_path / "kv")
    await asked(engine, "hello", [{"role": "system", "content": "Be kind."}])
    await engine.close()
    assert not (tmp_path / "kv").exists()


async def test_after_forgetting_nobody_finds_what_was_read_and_who_is_answered_goes_on(
    models: Path, tmp_path: Path
) -> None:
    states = tmp_path / "kv"
    engine = started(models, states)
    await asked(engine, "hello")
    assert (await asked(engine, "hello"))[1].cached_tokens > 128
    long = Sampling(max_tokens=600, temperature=0)
    running = engine.chat(TINY, [{"role": "system", "content": "Another one. " * 60}, *user("go on")], long)
    await begun(running)
    await engine.forget()
    assert not list(states.iterdir())
    assert (await asked(engine, "hello"))[1].cached_tokens == 0
    assert end_of(await heard(running)).output_tokens == 600
    again = [{"role": "system", "content": "Another one. " * 60}]
    assert (await asked(engine, "go on", again))[1].cached_tokens < 8  # as many as any two conversations share
    await engine.close()


async def test_forgetting_removes_what_was_kept(models: Path, tmp_path: Path) -> None:
    states = tmp_path / "kv"
    await kept_by(models, states)
    engine = started(models, states)
    assert await engine.forget() == 1
    assert not list(states.iterdir())
    await engine.close()


async def test_another_model_does_not_go_on_from_what_is_kept_and_nobody_else_reads_it(
    models: Path, tmp_path: Path
) -> None:
    states = tmp_path / "kv"
    await kept_by(models, states)
    other = generated("hearth-test-no-fim", tiny(fim=False))  # the same tokens, and another file
    engine = Engine(EngineSettings(context=1024, model_file=str(other)), models, Announced(), states=states)
    end = end_of(await heard(engine.chat(other.stem, [*SYSTEM, *user("hello")], GREEDY)))
    assert end.cached_tokens == 0
    await written(states, 2)
    await engine.close()
    files = list(states.glob("*.kv"))
    assert len(files) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(states.stat().st_mode) == 0o700
