"""A model that keeps answering, whatever becomes of its process."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from hearth_backend.engine.client import Engine
from hearth_backend.engine.files import BrokenFile
from hearth_backend.engine.frames import Started
from hearth_backend.engine.sampling import Sampling
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.spans import Span
from hearth_backend.observe.traces import Tracer
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations.telemetry import MIGRATIONS
from hearth_shared.errors import BadModelFile, EngineCrashed, Overloaded
from hearth_shared.protocol.events import EventType
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced, begun, end_of, ended, engine_children, heard, scripted, text_of, user
from support.gguf_files import TINY

pytestmark = [pytest.mark.engine, pytest.mark.logs("hearth_backend.engine.supervisor")]
LONG, SHORT = Sampling(max_tokens=900), Sampling(max_tokens=8)


async def pid_of(engine: Engine) -> int:
    running = (await engine.info(TINY)).running
    assert running is not None
    return running.pid


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
async def test_an_answer_whose_engine_dies_says_so_and_the_next_works(engine: Engine, number: signal.Signals) -> None:
    events = engine.chat(TINY, user("hello"), LONG)
    await begun(events)
    os.kill(await pid_of(engine), number)
    with pytest.raises(EngineCrashed, match=number.name) as crash:
        await heard(events)
    assert crash.value.retryable
    assert end_of(await heard(engine.chat(TINY, user("hello"), SHORT))).output_tokens == 8


async def test_what_has_shown_nothing_yet_is_given_to_the_next_engine(engine: Engine) -> None:
    events = engine.chat(TINY, user("hello"), LONG)
    await begun(events)
    waiting = [asyncio.create_task(heard(engine.chat(TINY, user(f"wait {at}"), SHORT))) for at in range(3)]
    os.kill(await pid_of(engine), signal.SIGKILL)
    with pytest.raises(EngineCrashed):
        await heard(events)
    for answer in await asyncio.gather(*waiting):
        assert end_of(answer).output_tokens == 8
        assert sum(isinstance(event, Started) for event in answer) == 1


async def test_a_request_that_lives_in_two_crashes_is_refused_and_the_others_are_answered(
    models: Path, announced: Announced
) -> None:
    engine = Engine(EngineSettings(gpu_layers=0), models, announced, argv=scripted(fail_above=0))
    for _ in range(2):
        with pytest.raises(EngineCrashed, match="SIGABRT"):
            await heard(engine.complete(TINY, "die always"))
        assert announced.kinds.count(EventType.MODEL_READY) == 2  # it was tried with one more engine, and no third
        assert text_of(await heard(engine.complete(TINY, "x"))) == "0"
        announced.clear()
        await engine.unload(TINY)
    await engine.close()


async def test_a_model_whose_engines_die_with_everybody_is_marked(models: Path, announced: Announced) -> None:
    engine = Engine(EngineSettings(gpu_layers=0), models, announced, argv=scripted(fail_above=0))
    with pytest.raises(EngineCrashed):
        await heard(engine.complete(TINY, "die always"))
    with pytest.raises(BadModelFile, match="again and again"):
        await heard(engine.complete(TINY, "die always, too"))
    with pytest.raises(BadModelFile) as refusal:
        await heard(engine.complete(TINY, "x"))
    assert refusal.value.fix
    (file,) = await engine.every_file()
    assert isinstance(file, BrokenFile)
    assert file.error.detail == refusal.value.detail
    await engine.close()


async def test_leaving_an_answer_that_has_no_end_stops_it(models: Path, announced: Announced) -> None:
    engine = Engine(EngineSettings(), models, announced, argv=scripted(fail_above=99))
    endless = engine.complete(TINY, "endless")
    await begun(endless)
    await endless.aclose()
    assert text_of(await asyncio.wait_for(heard(engine.complete(TINY, "x")), 60)) == "5"
    await engine.close()


async def test_an_engine_that_dies_idle_is_started_again_when_it_is_needed(engine: Engine) -> None:
    await heard(engine.chat(TINY, user("hello"), SHORT))
    pid = await pid_of(engine)
    os.kill(pid, signal.SIGKILL)
    assert end_of(await heard(engine.chat(TINY, user("hello"), SHORT))).output_tokens == 8
    assert await pid_of(engine) != pid


async def test_the_death_of_an_engine_is_counted(models: Path, announced: Announced) -> None:
    metrics = Metrics()
    engine = Engine(EngineSettings(), models, announced, metrics=metrics)
    events = engine.chat(TINY, user("hello"), LONG)
    await begun(events)
    os.kill(await pid_of(engine), signal.SIGKILL)
    with pytest.raises(EngineCrashed):
        await heard(events)
    assert "hearth_engine_restarts_total 1.0" in metrics.render().decode()
    await engine.close()


async def test_loading_and_answering_are_traced_beneath_the_call_that_asked(
    models: Path, announced: Announced, tmp_path: Path
) -> None:
    telemetry = Database(tmp_path / "telemetry.db", MIGRATIONS)
    tracer = Tracer(telemetry)
    engine = Engine(EngineSettings(), models, announced, tracer=tracer)
    with tracer.span("model") as call:
        await heard(engine.chat(TINY, user("hello"), SHORT))
    await engine.close()
    await tracer.close()
    spans = {row["name"]: dict(row) for row in await telemetry.fetch("select * from span")}
    await telemetry.close()
    assert isinstance(call, Span)
    assert {row["trace_id"] for row in spans.values()} == {call.trace_id}
    assert spans["model.chat"]["parent_id"] == call.span_id
    assert spans["model.load"]["parent_id"] == spans["model.chat"]["span_id"]
    said = json.loads(spans["model.chat"]["attributes"])
    assert (said["model"], said["lane"], said["output_tokens"]) == (TINY, "chat", 8)
    assert json.loads(spans["model.load"]["attributes"])["gpu_layers"] >= 0


async def test_a_model_nobody_uses_is_unloaded_and_comes_back(models: Path, announced: Announced) -> None:
    engine = Engine(EngineSettings(idle_s=0.05), models, announced)
    await heard(engine.chat(TINY, user("hello"), SHORT))
    pid = await pid_of(engine)
    await ended(pid)
    assert (await engine.info(TINY)).running is None
    await heard(engine.chat(TINY, user("hello"), SHORT))
    assert announced.kinds.count(EventType.MODEL_READY) == 2
    await engine.close()


async def test_a_model_loaded_for_somebody_who_left_is_unloaded_too(models: Path, announced: Announced) -> None:
    engine = Engine(EngineSettings(idle_s=0), models, announced)
    asking = asyncio.create_task(heard(engine.chat(TINY, user("hello"), SHORT)))
    await announced.wait_for(EventType.MODEL_LOADING)
    asking.cancel()
    await announced.wait_for(EventType.MODEL_READY)
    for pid in engine_children():
        await ended(pid)
    assert (await engine.info(TINY)).running is None
    await engine.close()


async def test_unloading_ends_the_answer_that_is_being_written(engine: Engine) -> None:
    events = engine.chat(TINY, user("hello"), LONG)
    await begun(events)
    await engine.unload(TINY)
    with pytest.raises(EngineCrashed, match="unloaded"):
        await heard(events)


async def test_closing_while_a_model_loads_leaves_no_process(models: Path, announced: Announced) -> None:
    engine = Engine(EngineSettings(), models, announced)
    asking = asyncio.create_task(heard(engine.chat(TINY, user("hello"), SHORT)))
    await announced.wait_for(EventType.MODEL_LOADING)
    await engine.close()
    assert not engine_children()
    with pytest.raises(Exception, match="closing"):
        await asking


async def test_each_task_that_is_ended_gets_an_error_of_its_own(engine: Engine) -> None:
    async with asyncio.timeout(60):
        asking = [asyncio.create_task(heard(engine.chat(TINY, user("hello"), LONG))) for _ in range(3)]
        await begun(engine.chat(TINY, user("hello"), SHORT, lane="inline"))
        await engine.close()
        errors = await asyncio.gather(*asking, return_exceptions=True)
    assert len({id(error) for error in errors}) == 3


async def test_more_tasks_than_can_wait_are_turned_away(engine: Engine) -> None:
    events = engine.chat(TINY, user("hello"), LONG)
    await begun(events)
    waiting = [asyncio.create_task(heard(engine.chat(TINY, user("wait"), SHORT))) for _ in range(260)]
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
    refused = [task for task in done if task.exception()]
    assert refused
    assert all(isinstance(task.exception(), Overloaded) for task in refused)
    await engine.close()
    await events.aclose()
    await asyncio.gather(*waiting, return_exceptions=True)
