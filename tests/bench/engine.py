"""What the engine costs beside plain llama.cpp: speed, the process boundary, how soon it stops.

PYTHONPATH=tests python -P -m bench.engine [MODEL.gguf]        (default: the generated model of 60 million weights)
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil

from hearth_backend.engine.client import Engine
from hearth_backend.engine.frames import Piece, Started
from hearth_backend.engine.sampling import Sampling
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced, begun, end_of, heard
from support.gguf_files import generated, generator

PROMPT = "import os\nimport sys\n\n\ndef main(arguments):\n    for name in arguments:\n        print(name)\n" * 3
NEW, ROUNDS, CONTEXT = 96, 3, 8192

PLAIN = """
import sys, time
from llama_cpp import Llama
model = Llama(sys.argv[1], n_ctx={context}, n_threads=1, n_threads_batch=int(sys.argv[2]), verbose=False)
for _ in range({rounds} + 1):
    model.reset()
    begun, cpu, first, count = time.perf_counter(), time.process_time(), 0.0, 0
    for _ in model.create_completion({prompt!r}, max_tokens={new}, temperature=0, stream=True):
        first = first or time.perf_counter()
        count += 1
    over = time.perf_counter()
    print(count / (over - first), count / (time.process_time() - cpu), first - begun)
"""


async def with_engine(engine: Engine, file: str) -> list[tuple[float, float, float]]:
    """(tokens a second while writing, tokens a CPU second of the child, seconds to the first text) by round."""
    found: list[tuple[float, float, float]] = []
    for at in range(ROUNDS + 1):
        # another first token, so that nothing of the round before is kept
        child = psutil.Process(await pid_of(engine, file)) if at else None
        cpu = sum(child.cpu_times()[:2]) if child else 0.0
        begun_at, first, events = time.perf_counter(), 0.0, list[Any]()
        stream = engine.complete(file, f"{at}{PROMPT}", None, Sampling(max_tokens=NEW, temperature=0))
        async with aclosing(stream) as answer:
            async for event in answer:
                if not first and isinstance(event, Piece):
                    first = time.perf_counter()
                events.append(event)
        over = time.perf_counter()
        if child:
            used = sum(child.cpu_times()[:2]) - cpu
            found.append((NEW / (over - first), NEW / used, first - begun_at))
    return found


async def pid_of(engine: Engine, file: str) -> int:
    running = (await engine.info(file)).running
    assert running is not None
    return running.pid


async def cancel_latency(engine: Engine, file: str, *, reading: bool) -> list[float]:
    """Milliseconds from leaving an answer until the next task begins."""
    found: list[float] = []
    for at in range(8):
        prompt = f"{at}" + ("word " * 6000 if reading else "x")
        stream = engine.complete(file, prompt, None, Sampling(max_tokens=2000, temperature=1))
        async with aclosing(stream) as answer:
            if reading:
                assert isinstance(await anext(answer), Started)
                await asyncio.sleep(0.02 + 0.01 * at)
            else:
                await begun(answer)
            left = time.perf_counter()
        async with aclosing(engine.complete(file, "y", None, Sampling(max_tokens=1))) as following:
            await anext(following)
        found.append(1e3 * (time.perf_counter() - left))
    return found


async def boundary(engine: Engine, file: str) -> tuple[float, float]:
    """Microseconds a token: of the backend's CPU, and between the child's clock and ours while writing."""
    cpu, events = (
        time.process_time(),
        await heard(engine.complete(file, "z", None, Sampling(max_tokens=1500, temperature=1, seed=5))),
    )
    used, count = time.process_time() - cpu, sum(isinstance(event, Piece) for event in events)
    return 1e6 * used / count, 1e6 * end_of(events).output_s / end_of(events).output_tokens


def plain(path: Path) -> list[tuple[float, ...]]:
    script = PLAIN.format(context=CONTEXT, rounds=ROUNDS, prompt=PROMPT, new=NEW)
    argv = (sys.executable, "-c", script, str(path), str(psutil.cpu_count()))
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return [tuple(map(float, line.split())) for line in done.stdout.splitlines()][1:]


def median(rows: list[tuple[float, ...]] | list[tuple[float, float, float]], column: int) -> float:
    return statistics.median(row[column] for row in rows)


async def main() -> None:
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    path = given or generated("hearth-test-small", lambda to: generator().make_llama(to, generator().SMALL, q8=True))
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(EngineSettings(context=CONTEXT, threads=1, model_file=str(path)), Path(folder), Announced())
        ours, theirs = await with_engine(engine, ""), plain(path)
        for name, rows in (("engine", ours), ("plain Llama", theirs)):
            print(
                f"{name:12} {median(rows, 0):7.1f} tok/s while writing, {median(rows, 1):7.1f} tok/CPU-s,"
                f" first text after {1e3 * median(rows, 2):.0f} ms"
            )
        for reading in (False, True):
            found = await cancel_latency(engine, "", reading=reading)
            print(
                f"cancel while {'reading' if reading else 'writing'}, until the next task begins:"
                f" median {statistics.median(found):.1f} ms, worst {max(found):.1f} ms"
            )
        parent, step = await boundary(engine, "")
        print(f"backend CPU for each token {parent:.0f} µs; a step of the model takes {step:.0f} µs")
        await engine.close()


if __name__ == "__main__":
    asyncio.run(main())
