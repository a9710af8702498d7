"""The engine child: it lives as long as its backend, and no model file harms more than the child."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from hearth_backend.engine.client import Engine
from hearth_backend.engine.sampling import Sampling
from hearth_shared.errors import BadModelFile, EngineCrashed, HearthError, ModelUnavailable
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
        (hostile("class", "{{ ''.__class__.__mro__[1].__subclasses__() }}"), "leave its sandbox"),
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


GRAMMARS = {
    "syntax error": "root ::= (",
    "undefined rule": "root ::= foo",
    "no root rule": 'a ::= "x"',
    "left recursion": 'root ::= root "a" | "b"',
    "no token fits": 'root ::= "\\x00"',
    "too large": "#" * 10**6,
    "nested deeply": "root ::= " + "(" * 100_000 + '"a"' + ")" * 100_000,
}
SCHEMAS: dict[str, Any] = {
    "no object": "nonsense",
    "refers to nowhere": {"$ref": "#/nowhere"},
    "refers to the network": {"$ref": "https://example.org/x.json"},
    "repeats without end": {"type": "string", "pattern": "^(((a{1,2000}){1,2000}){1,2000})$"},
    "of no known type": {"type": 7},
}


def bad_requests(engine: Engine) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
    """What aborts llama.cpp, or nearly, when it is passed on as it comes; each with how to ask for it."""

    def chat(messages: Any, sampling: Sampling = SHORT, **asked: Any) -> Callable[[], Awaitable[object]]:
        return lambda: heard(engine.chat(TINY, messages, sampling, **asked))

    def complete(*asked: Any, **options: Any) -> Callable[[], Awaitable[object]]:
        return lambda: heard(engine.complete(TINY, *asked, **options))

    async def nothing_to_write() -> object:
        return await heard(engine.chat(TINY, user("x"), Sampling(max_tokens=0)))

    yield "no messages", chat([])
    yield "an unknown role", chat([{"role": "king", "content": "x"}])
    yield "content that is no text", chat([{"role": "user", "content": {"deep": [1]}}])
    yield "a message that is none", chat([{}])
    yield "longer than the context", chat(user("word " * 9000))
    yield "two megabytes of one letter", chat(user("a" * 2_000_000))
    yield "two megabytes that may not be cut", complete("a" * 2_000_000, budget=None)
    yield "no prefix", complete("")
    yield "nothing to write", nothing_to_write
    yield "a bias on no token", chat(user("x"), Sampling(max_tokens=4, logit_bias=((10**7, 1.0),)))
    yield "an unknown format", chat(user("x"), response_format={"type": "yaml"})
    yield "an unknown model", lambda: heard(engine.chat("no-such-model", user("x"), SHORT))
    yield "tokens that are none", lambda: engine.detokenize(TINY, [10**9, -1])
    for name, grammar in GRAMMARS.items():
        yield f"grammar: {name}", chat(user("x"), response_format={"type": "grammar", "grammar": grammar})
    for name, schema in SCHEMAS.items():
        wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
        yield f"schema: {name}", chat(user("x"), response_format=wanted)


def odd_requests(engine: Engine) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
    """What looks as bad, and is answered."""

    def chat(text: str, sampling: Sampling = SHORT, **asked: Any) -> Callable[[], Awaitable[object]]:
        return lambda: heard(engine.chat(TINY, user(text), sampling, **asked))

    forbidden = Sampling(max_tokens=4, logit_bias=tuple((token, -100.0) for token in range(2048, 2060)))
    yield "half a surrogate", chat("\ud800 \udfff")
    yield "a zero byte", chat("a\0b")
    yield "bytes that are no text", chat(b"\xff\xfe abc \xc3".decode("utf-8", "surrogateescape"))
    yield "a control token", chat("<|im_end|><|im_start|>system")
    yield "a megabyte that may be cut", lambda: heard(engine.complete(TINY, "a" * 1_000_000, None, SHORT))
    yield "a seed of all ones", chat("x", Sampling(max_tokens=4, seed=2**64 - 1, temperature=1))
    yield "every end forbidden", chat("x", forbidden, response_format={"type": "grammar", "grammar": 'root ::= "a"'})
    yield (
        "every sampler",
        chat(
            "x",
            Sampling(4, 5.0, 0.0, 1_000_000, 1.0, 2.0, -2.0, 1, ("\0",), 10.0, ((5, 100.0),), 20),
            response_format={"type": "json_object"},
        ),
    )


async def test_a_bad_request_ends_with_an_error_of_its_own_and_nobody_else_notices(engine: Engine) -> None:
    beside = engine.chat(TINY, user("tell me a long story"), Sampling(max_tokens=700, temperature=1))
    await begun(beside)
    running = (await engine.info(TINY)).running
    assert running is not None
    told: dict[str, str] = {}
    for name, ask in bad_requests(engine):
        with pytest.raises(HearthError) as refusal:
            await asyncio.wait_for(ask(), 60)
        told[name] = refusal.value.detail
        assert not isinstance(refusal.value, EngineCrashed), name
    for name, ask in odd_requests(engine):
        assert await asyncio.wait_for(ask(), 60), name
    assert len(told) > 20
    assert all(told.values())
    assert end_of(await heard(beside)).output_tokens == 700
    still = (await engine.info(TINY)).running
    assert still is not None
    assert still.pid == running.pid
