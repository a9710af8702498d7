"""The engine child: it lives as long as its backend, and no model file harms more than the child."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from hearth_backend.engine.client import Engine
from hearth_backend.engine.sampling import Sampling
from hearth_shared.errors import BadModelFile, ModelUnavailable
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced, begun, end_of, ended, heard, user
from support.gguf_files import TINY, generated, tiny

pytestmark = pytest.mark.engine
SHORT = Sampling(max_tokens=4)

BACKEND = """
import asyncio, sys, psutil
from pathlib import Path
from hearth_backend.engine.client import Engine
from hearth_backend.engine.sampling import Sampling
from hearth_shared.settings import Engine as EngineSettings

async def tell_when_there_is_a_child():
    while not psutil.Process().children():
        await asyncio.sleep(0)
    print("loading", flush=True)

async def main(moment):
    async def emit(kind, data):
        if (moment, kind.value) == ("loading", "model.loading"):
            telling.append(asyncio.create_task(tell_when_there_is_a_child()))
    telling = []
    engine = Engine(EngineSettings(), Path(sys.argv[1]), emit)
    async for event in engine.chat("", [{"role": "user", "content": "hello"}], Sampling(max_tokens=4000)):
        if moment == "text":
            print("text", flush=True)
            moment = ""

asyncio.run(main(sys.argv[2]))
"""


@pytest.mark.parametrize("moment", ["loading", "text"])
async def test_no_engine_outlives_a_backend_that_is_killed(models: Path, moment: str) -> None:
    argv = (sys.executable, "-I", "-c", BACKEND, str(models), moment)
    backend = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    assert backend.stdout is not None
    assert (await asyncio.wait_for(backend.stdout.readline(), 60)).decode().strip() == moment
    (child,) = psutil.Process(backend.pid).children(recursive=True)
    backend.kill()
    await backend.wait()
    await ended(child.pid)


async def test_ctrl_c_is_the_backends_to_handle(engine: Engine) -> None:
    events = engine.chat(TINY, user("hello"), Sampling(max_tokens=300))
    await begun(events)
    running = (await engine.info(TINY)).running
    assert running is not None
    os.kill(running.pid, signal.SIGINT)
    assert end_of(await heard(events)).output_tokens > 4


def hostile(name: str, template: str) -> Callable[[Path], Engine]:
    def make(models: Path) -> Engine:
        path = generated(f"hearth-test-{name}", tiny(template=template))
        return Engine(EngineSettings(model_file=str(path)), models, Announced())

    return make


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (hostile("escape", "{{ cycler.__init__.__globals__.os.popen('id').read() }}"), "leave its sandbox"),
        (hostile("memory", "{{ ('x' * 999999) * 99999999 }}"), "more memory"),
    ],
)
async def test_a_hostile_template_is_refused_and_the_model_still_completes(
    models: Path, make: Callable[[Path], Engine], cause: str
) -> None:
    engine = make(models)
    with pytest.raises(BadModelFile, match=cause):
        await heard(engine.chat("", user("hello"), SHORT))
    assert end_of(await heard(engine.complete("", "x = ", None, SHORT))).output_tokens == 4
    await engine.close()


@pytest.mark.logs("hearth_backend.engine.loader")
async def test_a_template_that_cannot_be_read_is_said_and_replaced(models: Path) -> None:
    engine = hostile("unreadable", "{% for %}")(models)
    assert end_of(await heard(engine.chat("", user("hello"), SHORT))).output_tokens == 4
    await engine.close()


async def test_a_library_that_cannot_be_loaded_is_told(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMA_CPP_LIB_PATH", str(tmp_path))
    engine = Engine(EngineSettings(), models, Announced())
    with pytest.raises(ModelUnavailable, match=r"llama\.cpp cannot be loaded"):
        await heard(engine.chat("", user("hello"), SHORT))
    await engine.close()
