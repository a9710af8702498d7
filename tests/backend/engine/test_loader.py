"""Getting a model to run: the GPU's ladder, and files that cannot be loaded."""

import dataclasses
from pathlib import Path

import pytest

from hearth_backend.engine.builds import Builds
from hearth_backend.engine.client import Engine
from hearth_backend.engine.gguf import read_facts
from hearth_backend.engine.placement import Placement
from hearth_backend.engine.plan import KV_TYPES, Wish, memory_bytes
from hearth_backend.engine.sampling import Sampling
from hearth_shared.errors import BadModelFile, HearthError, ModelUnavailable
from hearth_shared.protocol.events import EventType
from hearth_shared.settings import Engine as EngineSettings
from support import tools
from support.engines import Announced, heard, scripted, text_of, user
from support.fake_ggml import Card, make_build
from support.gguf_files import TINY, generated, generator, patched

pytestmark = pytest.mark.engine
SHORT = Sampling(max_tokens=4)
LAYERS_OF_TINY = 5  # four, and the output


def with_gpu(models: Path, announced: Announced, fail_above: int, way: str, wanted: int = -1) -> Engine:
    return Engine(EngineSettings(gpu_layers=wanted), models, announced, argv=scripted(fail_above, way))


async def layers_used(engine: Engine, prefix: str = "x") -> int:
    return int(text_of(await heard(engine.complete(TINY, prefix))))


@pytest.mark.logs("hearth_backend.engine.loader")
@pytest.mark.parametrize("way", ["refuse", "die"])
@pytest.mark.parametrize(("fits", "tried"), [(5, 0), (4, 1), (2, 2), (1, 3)])
async def test_fewer_layers_are_tried_until_they_fit(
    models: Path, announced: Announced, way: str, fits: int, tried: int
) -> None:
    engine = with_gpu(models, announced, fits, way)
    assert await layers_used(engine) == (LAYERS_OF_TINY, 3, 2, 0)[tried]
    assert announced.kinds.count(EventType.MODEL_FALLBACK) == tried
    assert announced.kinds[-1] == EventType.MODEL_READY
    await engine.close()


async def test_what_fitted_is_remembered(models: Path, announced: Announced) -> None:
    engine = with_gpu(models, announced, 3, "refuse", wanted=4)
    await layers_used(engine)
    await engine.unload(TINY)
    announced.clear()
    assert await layers_used(engine) == 3
    assert EventType.MODEL_FALLBACK not in announced.kinds
    await engine.close()


@pytest.mark.logs("hearth_backend.engine.supervisor")
async def test_a_gpu_that_aborts_while_it_works_gets_fewer_layers(models: Path, announced: Announced) -> None:
    engine = with_gpu(models, announced, 2, "refuse", wanted=1)
    assert await layers_used(engine) == 1
    assert await layers_used(engine, "die") == 0
    reasons = [data["reason"] for kind, data in announced if kind == EventType.MODEL_FALLBACK]
    assert reasons == ["the engine died (SIGABRT)"]
    await engine.close()


@pytest.mark.logs("hearth_backend.engine.loader")
async def test_a_file_that_kills_the_engine_twice_is_bad_until_it_changes(
    models: Path, tiny_gguf: Path, announced: Announced
) -> None:
    damaged = models / "damaged.gguf"
    damaged.write_bytes(patched(tiny_gguf.read_bytes(), "llama.block_count", 0))
    engine = Engine(EngineSettings(), models, announced)
    for _ in range(2):
        with pytest.raises(BadModelFile, match="died twice"):
            await heard(engine.chat("damaged", user("hello"), SHORT))
    assert announced.kinds == [EventType.MODEL_LOADING]
    damaged.write_bytes(tiny_gguf.read_bytes())
    assert text_of(await heard(engine.chat("damaged", user("hello"), SHORT)))
    await engine.close()


async def test_what_llama_cpp_itself_refuses_is_told_in_its_words(
    models: Path, tiny_gguf: Path, announced: Announced
) -> None:
    other = models / "other.gguf"
    other.write_bytes(patched(tiny_gguf.read_bytes(), "llama.block_count", 3))
    engine = Engine(EngineSettings(), models, announced)
    with pytest.raises(BadModelFile, match="wrong number of tensors") as refusal:
        await heard(engine.chat("other", user("hello")))
    assert refusal.value.fix
    await engine.close()


@pytest.mark.logs("hearth_backend.engine.supervisor")
async def test_an_engine_that_cannot_be_started_says_so(models: Path, announced: Announced) -> None:
    engine = Engine(EngineSettings(), models, announced, argv=("/nonexistent/python",))
    with pytest.raises(ModelUnavailable, match="cannot be started"):
        await heard(engine.chat(TINY, user("hello")))
    await engine.close()


@pytest.mark.logs("hearth_backend.engine.loader")
async def test_an_event_that_cannot_be_stored_costs_no_answer(models: Path) -> None:
    async def full(kind: EventType, data: object) -> None:
        raise HearthError("The disk is full.")

    engine = Engine(EngineSettings(), models, full)
    assert text_of(await heard(engine.chat(TINY, user("hello"), SHORT)))
    await engine.close()


def on_a_card(models: Path, announced: Announced, folder: Path, fail_above: int, wanted: int = -1) -> Engine:
    """A real build that says it found a card, and a child on it that can hold so many layers."""
    libraries = folder / "vulkan-1.0" / "lib"
    if not libraries.exists():
        make_build(libraries, Card("A Card", 7_000_000_000, 8_000_000_000))
    placement = Placement(Builds(folder, lambda: None, "1.0"), driver=lambda: "a driver")
    settings = EngineSettings(gpu_layers=wanted)
    return Engine(settings, models, announced, argv=scripted(fail_above, "die"), placement=placement)


@pytest.mark.logs("hearth_backend.engine.loader")
async def test_the_ladder_begins_where_the_plan_says_and_next_time_where_it_ended(
    models: Path, announced: Announced, tmp_path: Path
) -> None:
    engine = on_a_card(models, announced, tmp_path / "engine", 3)
    assert await layers_used(engine) == 3
    reasons = [data["reason"] for kind, data in announced if kind == EventType.MODEL_FALLBACK]
    assert reasons == ["the engine died (SIGABRT)"]
    await engine.close()
    announced.clear()
    engine = on_a_card(models, announced, tmp_path / "engine", 3)
    assert await layers_used(engine) == 3
    assert EventType.MODEL_FALLBACK not in announced.kinds
    await engine.close()


@pytest.mark.logs("hearth_backend.engine.supervisor")
async def test_a_card_that_fails_while_it_works_gets_fewer_layers_also_with_a_plan(
    models: Path, announced: Announced, tmp_path: Path
) -> None:
    engine = on_a_card(models, announced, tmp_path / "engine", 5, wanted=1)
    assert await layers_used(engine) == 1
    assert await layers_used(engine, "die") == 0
    await engine.close()


async def test_a_cache_that_does_not_fit_is_kept_denser_and_it_answers(tmp_path: Path, announced: Announced) -> None:
    tools.need("llama_cpp")
    shape = dataclasses.replace(generator().TINY, heads=3, kv_heads=3, layers=2)  # heads of 32 numbers
    path = generated("hearth-test-wide-heads", lambda path: generator().make_llama(path, shape))
    (tmp_path / path.name).symlink_to(path)
    sizes = read_facts(path).shape
    room = memory_bytes(sizes, 0, 4096, "q8_0") + 1_000_000
    assert memory_bytes(sizes, 0, 4096, "f16") > room
    placement = Placement(Builds(tmp_path / "engine"), room=lambda: (room, room))
    engine = Engine(EngineSettings(context=4096), tmp_path, announced, placement=placement)
    spot = await placement.spot((await engine.info("")).file, Wish(4096, kv_types=KV_TYPES))
    assert (spot.plan.kv_type, spot.plan.context) == ("q8_0", 4096)
    assert text_of(await heard(engine.chat("", user("hello"), SHORT)))
    await engine.close()
