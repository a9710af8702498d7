"""The engine as the rooms above use it: real llama.cpp on a generated model."""

import asyncio
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil
import pytest

from hearth_backend.engine.builds import Builds
from hearth_backend.engine.client import Engine
from hearth_backend.engine.frames import Piece, Started
from hearth_backend.engine.gguf import read_facts
from hearth_backend.engine.placement import Placement
from hearth_backend.engine.plan import memory_bytes
from hearth_backend.engine.sampling import Sampling
from hearth_shared.errors import BadRequest, Cancelled, ModelUnavailable, NotFound
from hearth_shared.protocol.events import EventType
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced, begun, end_of, heard, text_of, user
from support.gguf_files import TINY, bert, generated, tiny

pytestmark = pytest.mark.engine


def steady(**values: Any) -> Sampling:
    chosen: dict[str, Any] = {"max_tokens": 12, "temperature": 0, **values}
    return Sampling(**chosen)


async def test_an_answer_streams_piece_by_piece_between_its_start_and_its_end(engine: Engine) -> None:
    events = await heard(engine.chat(TINY, user("hello"), Sampling(max_tokens=12)))
    assert isinstance(events[0], Started)
    assert events[0].model == TINY
    assert events[0].test_model
    assert sum(isinstance(event, Piece) for event in events) > 1
    assert end_of(events).reason == "length"
    assert end_of(events).output_tokens == 12
    assert end_of(events).prompt_tokens == events[0].prompt_tokens > 0


async def test_loading_is_announced_with_what_it_took(engine: Engine, announced: Announced) -> None:
    await heard(engine.chat("", user("hello"), steady()))
    assert announced.kinds == [EventType.MODEL_LOADING, EventType.MODEL_READY]
    assert announced[1][1] == {
        "model": TINY,
        "seconds": announced[1][1]["seconds"],
        "context": 1024,
        "gpu_layers": 0,
        "test_model": True,
    }


async def test_the_same_seed_gives_the_same_text_whatever_was_asked_before(engine: Engine) -> None:
    sampling = Sampling(max_tokens=24, seed=7, temperature=1)
    first = await heard(engine.chat(TINY, user("once upon a time"), sampling))
    await heard(engine.chat(TINY, user("once upon another"), steady()))
    again = await heard(engine.chat(TINY, user("once upon a time"), sampling))
    other = await heard(engine.chat(TINY, user("once upon a time"), Sampling(max_tokens=24, seed=8, temperature=1)))
    assert text_of(first) == text_of(again) != text_of(other)


async def test_a_long_prompt_is_kept_for_the_same_seed_in_whole_batches(engine: Engine) -> None:
    sampling = Sampling(max_tokens=8, seed=7, temperature=1)
    first = await heard(engine.complete(TINY, "import os\n" * 250, None, sampling))
    again = await heard(engine.complete(TINY, "import os\n" * 250, None, sampling))
    assert end_of(again).cached_tokens == 512
    assert text_of(first) == text_of(again)


async def test_a_stop_text_ends_the_answer_and_is_not_shown(engine: Engine) -> None:
    whole = text_of(await heard(engine.chat(TINY, user("hello"), steady())))
    stop = whole[4:7]
    events = await heard(engine.chat(TINY, user("hello"), steady(stop=(stop,))))
    assert end_of(events).reason == "stop"
    assert text_of(events) == whole[: whole.index(stop)]


async def test_a_conversation_that_goes_on_is_read_from_where_it_was(engine: Engine) -> None:
    first = await heard(engine.chat(TINY, user("tell me of the sea"), steady()))
    grown = [*user("tell me of the sea"), {"role": "assistant", "content": text_of(first)}, *user("go on")]
    second = await heard(engine.chat(TINY, grown, steady()))
    assert end_of(first).cached_tokens == 0
    assert end_of(second).cached_tokens >= end_of(first).prompt_tokens - 1


async def test_leaving_an_answer_stops_the_model_and_the_next_one_works(engine: Engine) -> None:
    async with aclosing(engine.chat(TINY, user("hello"), Sampling(max_tokens=900))) as events:
        await begun(events)
    later = await asyncio.wait_for(heard(engine.chat(TINY, user("hello again"), steady())), 60)
    assert end_of(later).output_tokens == 12


async def test_an_inline_completion_passes_a_conversation_that_still_waits(engine: Engine) -> None:
    order: list[str] = []

    async def ask(name: str, lane: Any) -> None:
        await heard(engine.chat(TINY, user(name), steady(max_tokens=4), lane=lane))
        order.append(name)

    async with aclosing(engine.chat(TINY, user("first"), Sampling(max_tokens=600))) as running:
        await begun(running)
        async with asyncio.TaskGroup() as group:
            for name, lane in (("index", "indexing"), ("ambient", "ambient"), ("chat", "chat"), ("keys", "inline")):
                group.create_task(ask(name, lane))
                await asyncio.sleep(0)
            await heard(running)
    assert order == ["keys", "chat", "ambient", "index"]


async def test_text_is_put_between_two_texts(engine: Engine) -> None:
    events = await heard(engine.complete(TINY, "def main(", "):\n    pass\n", steady(), [("a.py", "import os\n")]))
    assert end_of(events).output_tokens == 12
    alone = await heard(engine.complete(TINY, "def main(", "):\n    pass\n", steady()))
    assert end_of(alone).prompt_tokens < end_of(events).prompt_tokens


async def test_a_model_without_the_tokens_for_it_says_that_it_cannot_fill_in(models: Path) -> None:
    plain = generated("hearth-test-plain", tiny(fim=False))
    engine = Engine(EngineSettings(model_file=str(plain)), models, Announced())
    with pytest.raises(BadRequest, match="fill-in-the-middle"):
        await heard(engine.complete("", "def main(", "): pass"))
    assert text_of(await heard(engine.complete("", "def main(", "", steady())))
    await engine.close()


async def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(engine: Engine) -> None:
    with pytest.raises(BadRequest, match="1,024 tokens") as refusal:
        await heard(engine.chat(TINY, user("word " * 3000), steady()))
    assert refusal.value.data["limit"] == 1024
    assert refusal.value.data["reason"] == "context_length_exceeded"
    assert refusal.value.fix


async def test_a_text_longer_than_the_context_is_shortened_for_a_completion(engine: Engine) -> None:
    events = await heard(engine.complete(TINY, "x = 1\n" * 3000, "y = 2\n" * 3000, steady()))
    assert end_of(events).prompt_tokens <= 1024 - 12


async def test_an_answer_ends_where_the_context_does(engine: Engine) -> None:
    events = await heard(engine.complete(TINY, "x", None, Sampling(max_tokens=5000, temperature=1, seed=1)))
    assert end_of(events).prompt_tokens + end_of(events).output_tokens <= 1024


async def test_a_control_token_in_a_message_stays_text(engine: Engine) -> None:
    spelled = await heard(engine.chat(TINY, user("a<|im_end|>b"), steady(max_tokens=1)))
    plain = await heard(engine.chat(TINY, user("ab"), steady(max_tokens=1)))
    assert end_of(spelled).prompt_tokens > end_of(plain).prompt_tokens + 3


async def test_json_is_written_when_json_is_wanted(engine: Engine) -> None:
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "blue"]}, "n": {"enum": [1, 2]}},
        "required": ["colour", "n"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}
    for seed in range(3):
        sampling = Sampling(max_tokens=300, seed=seed, temperature=1)
        events = await heard(engine.chat(TINY, user("paint"), sampling, response_format=wanted))
        assert end_of(events).reason == "stop"
        assert text_of(events).replace(" ", "").replace("\n", "").startswith('{"colour":"')


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^(((a{1,2000}){1,2000}){1,2000})$"},
        {"$ref": "https://example.org/schema.json"},
        {"type": "array", "items": {"$ref": "#/nowhere"}},
        "not a schema",
    ],
)
async def test_a_schema_that_cannot_be_followed_is_refused_and_harms_nothing(engine: Engine, schema: Any) -> None:
    wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
    with pytest.raises(BadRequest):
        await heard(engine.chat(TINY, user("x"), steady(), response_format=wanted))
    assert text_of(await heard(engine.chat(TINY, user("x"), steady())))


async def test_a_grammar_of_the_askers_own_is_followed(engine: Engine) -> None:
    wanted = {"type": "grammar", "grammar": 'root ::= "yes" | "no"'}
    events = await heard(engine.chat(TINY, user("well?"), Sampling(max_tokens=30, seed=1), response_format=wanted))
    assert text_of(events) in ("yes", "no")
    with pytest.raises(BadRequest, match="format"):
        await heard(engine.chat(TINY, user("well?"), response_format={"type": "grammar", "grammar": "root ::= ("}))


async def test_a_token_may_be_forced_or_forbidden(engine: Engine) -> None:
    (token,) = await engine.tokenize(TINY, "x")
    forced = await heard(engine.complete(TINY, "y = ", None, steady(max_tokens=4, logit_bias=((token, 100.0),))))
    assert text_of(forced) == "xxxx"
    forbidden = await heard(engine.complete(TINY, "y = ", None, steady(max_tokens=40, logit_bias=((token, -100.0),))))
    assert "x" not in [text_of([event]) for event in forbidden]
    with pytest.raises(BadRequest, match="logit_bias"):
        await heard(engine.complete(TINY, "y = ", None, steady(logit_bias=((10**6, 1.0),))))


async def test_what_was_said_before_is_penalised(engine: Engine) -> None:
    (token,) = await engine.tokenize(TINY, "x")
    biased = steady(max_tokens=6, logit_bias=((token, 20.0),), repeat_penalty=10.0)
    assert text_of(await heard(engine.complete(TINY, "y = ", None, biased))).count("x") < 6


async def test_how_likely_each_token_was_is_told_where_it_is_asked(engine: Engine) -> None:
    events = await heard(engine.complete(TINY, "x = ", None, steady(logprobs=3)))
    told = [one for event in events if isinstance(event, Piece) for one in event.logprobs]
    assert len(told) == end_of(events).output_tokens == 12
    for text, likelihood, others in told:
        assert likelihood <= 0
        assert len(others) == 3
        assert tuple(others[0]) == (text, likelihood)  # greedy takes the likeliest
    plain = await heard(engine.complete(TINY, "x = ", None, steady()))
    assert not any(event.logprobs for event in plain if isinstance(event, Piece))


async def test_tools_are_laid_before_the_model(engine: Engine) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"t": "Ended", "type": "object"}}}
    bare = await heard(engine.chat(TINY, user("hello"), steady(max_tokens=1)))
    equipped = await heard(engine.chat(TINY, user("hello"), steady(max_tokens=1), [tool]))
    assert end_of(equipped).prompt_tokens > end_of(bare).prompt_tokens + 10


async def test_a_role_that_no_template_knows_is_refused(engine: Engine) -> None:
    with pytest.raises(BadRequest, match="wizard"):
        await heard(engine.chat(TINY, [{"role": "wizard", "content": "x"}]))


async def test_a_model_without_a_template_speaks_chatml(models: Path) -> None:
    bare = generated("hearth-test-bare", tiny(template=None))
    engine = Engine(EngineSettings(model_file=str(bare)), models, Announced())
    events = await heard(engine.chat("", user("hello"), steady()))
    assert events[0] == Started("hearth-test-bare", end_of(events).prompt_tokens, 0, 0, True)
    await engine.close()


async def test_text_survives_the_way_to_tokens_and_back(engine: Engine) -> None:
    text = "héllo wörld 🜚 <|im_end|>"
    tokens = await engine.tokenize(TINY, text)
    assert await engine.detokenize(TINY, tokens) == text
    assert await engine.tokenize(TINY, "") == []


@pytest.mark.parametrize("tokens", [[-1], [10**9]])
async def test_a_number_that_is_no_token_is_refused(engine: Engine, tokens: list[int]) -> None:
    with pytest.raises(BadRequest):
        await engine.detokenize(TINY, tokens)


async def test_info_says_whether_and_how_the_model_runs(engine: Engine) -> None:
    assert (await engine.info(TINY)).running is None
    await heard(engine.chat(TINY, user("hello"), steady()))
    state = await engine.info(TINY)
    assert state.running is not None
    assert state.running.load_s > 0
    assert state.running.tokens_per_s
    assert state.figures is not None
    assert state.figures.first_s > 0
    assert state.figures.read > 0
    assert state.figures.words_per_s > 0
    assert psutil.pid_exists(state.running.pid)


def test_the_backend_itself_never_loads_llama_cpp() -> None:
    script = (
        "import sys, hearth_backend.engine.client as client;"
        "print(client.Engine.available(), {'llama_cpp', 'jinja2'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "set()"]


async def test_an_embedding_model_is_listed_but_not_asked_to_write(engine: Engine, models: Path) -> None:
    path = generated("hearth-test-bert", bert)
    (models / path.name).symlink_to(path)
    assert {file.id for file in await engine.files()} == {TINY, "hearth-test-bert"}
    with pytest.raises(BadRequest, match="writes no text"):
        await heard(engine.chat("hearth-test-bert", user("hello")))


async def test_an_unknown_model_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound, match="nothing-here"):
        await heard(engine.chat("nothing-here", user("hello")))


async def test_without_llama_cpp_the_fix_is_said(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "available", staticmethod(lambda: False))
    with pytest.raises(ModelUnavailable, match="make run"):
        await heard(engine.chat(TINY, user("hello")))


async def test_closing_ends_what_is_being_answered_and_leaves_no_process(engine: Engine) -> None:
    events = engine.chat(TINY, user("hello"), Sampling(max_tokens=900))
    await begun(events)
    running = (await engine.info(TINY)).running
    assert running is not None
    await engine.close()
    assert not psutil.pid_exists(running.pid)
    with pytest.raises(Cancelled):
        await heard(events)


async def test_two_models_run_side_by_side(engine: Engine, models: Path) -> None:
    bare = generated("hearth-test-bare", tiny(template=None))
    (models / bare.name).symlink_to(bare)
    one, other = await asyncio.gather(
        heard(engine.chat(TINY, user("hello"), steady())), heard(engine.chat(bare.stem, user("hello"), steady()))
    )
    assert end_of(one).output_tokens == end_of(other).output_tokens == 12


async def test_a_file_that_was_replaced_is_loaded_anew(engine: Engine, models: Path, announced: Announced) -> None:
    await heard(engine.chat(TINY, user("hello"), steady()))
    (models / f"{TINY}.gguf").unlink()
    bare = generated("hearth-test-bare", tiny(template=None))
    (models / f"{TINY}.gguf").write_bytes(bare.read_bytes())
    await heard(engine.chat(TINY, user("hello"), steady()))
    assert announced.kinds.count(EventType.MODEL_READY) == 2


def tight(models: Path, folder: Path, announced: Announced, pinned: str = "") -> Engine:
    """An engine on a machine with memory for one of two models, by its plan."""
    other = generated("hearth-test-bare", tiny(template=None))
    (models / other.name).symlink_to(other)
    room = memory_bytes(read_facts(other).shape, 0, 1024, "f16") + 100_000
    placement = Placement(Builds(folder / "engine"), room=lambda: (room, room))
    return Engine(EngineSettings(context=1024, pinned=pinned), models, announced, placement=placement)


async def test_a_model_that_is_idle_leaves_for_one_that_needs_its_room(
    models: Path, tmp_path: Path, announced: Announced
) -> None:
    engine = tight(models, tmp_path, announced)
    await heard(engine.chat(TINY, user("hello"), steady()))
    first = (await engine.info(TINY)).running
    assert first is not None
    await heard(engine.chat("hearth-test-bare", user("hello"), steady()))
    assert (await engine.info(TINY)).running is None
    assert not psutil.pid_exists(first.pid)
    told = [data.get("unloaded") for kind, data in announced if kind == EventType.MODEL_LOADING]
    assert told == [None, [TINY]]
    assert (await engine.info(TINY)).figures is not None  # how fast it was is still known
    await engine.close()


async def test_a_pinned_model_and_one_that_answers_stay(models: Path, tmp_path: Path, announced: Announced) -> None:
    engine = tight(models, tmp_path, announced, pinned=f"x, {TINY}")
    await heard(engine.chat(TINY, user("hello"), steady()))
    running = engine.chat("hearth-test-bare", user("hello"), Sampling(max_tokens=900))
    await begun(running)
    state = await engine.info(TINY)
    assert state.running is not None
    assert state.running.pinned
    bert_path = generated("hearth-test-bert", bert)
    (models / bert_path.name).symlink_to(bert_path)
    assert [said.width async for said in engine.embed(bert_path.stem, ["x"])] == [64]
    assert end_of(await heard(running)).output_tokens == 900
    assert (await engine.info(TINY)).running == state.running
    await engine.close()


async def test_a_pinned_model_is_not_unloaded_when_idle(models: Path, announced: Announced) -> None:
    engine = Engine(EngineSettings(idle_s=0, pinned=TINY), models, announced)
    await heard(engine.chat(TINY, user("hello"), steady()))
    await heard(engine.chat(TINY, user("hello"), steady()))
    assert (await engine.info(TINY)).running is not None
    assert announced.kinds.count(EventType.MODEL_READY) == 1
    await engine.close()


async def test_a_model_is_not_loaded_again_for_a_smaller_context(engine: Engine, announced: Announced) -> None:
    await heard(engine.chat(TINY, user("hello " * 100), steady()))
    await heard(engine.chat(TINY, user("hello"), steady(max_tokens=2), budget=40))
    await heard(engine.complete(TINY, "x = ", None, steady(max_tokens=2), lane="inline", budget=20))
    assert announced.kinds.count(EventType.MODEL_READY) == 1
