"""Where the engine's time goes: outside llama_decode, and with more threads than there are free cores."""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from bench import timed_worker
from bench.peers import Ours
from bench.verdict import Verdict
from hearth_backend.engine import cores
from hearth_backend.engine.client import Engine
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced

Fresh = Callable[[int, int], list[str]]
TOKENS = 64


async def outside(verdict: Verdict, path: Path, fresh: Fresh, rounds: int) -> None:
    """The share of the child's processor time that is not llama_decode's, at 1, 4 and 8 at once, one thread."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        counts = str(Path(folder, "counts"))
        argv = (sys.executable, "-P", str(Path(__file__).with_name("timed_worker.py")), counts)
        settings = EngineSettings(context=8192, threads=1, model_file=str(path))
        ours = Ours(Engine(settings, Path(folder), Announced(), argv=argv, batch_threads=1))
        stack.push_async_callback(ours.close)
        await ours.first("hello", 2)
        for count in (1, 4, 8):
            shares: list[float] = []
            for _ in range(rounds):
                before = timed_worker.read(counts)
                await ours.round(fresh(count, 300), TOKENS)
                decoding, whole = (now - then for now, then in zip(timed_worker.read(counts), before, strict=True))
                shares.append(1 - decoding / whole)
            verdict.bar(f"time outside llama_decode, {count} at once", 100 * statistics.median(shares), 5, "%")


async def crowded(verdict: Verdict, path: Path, fresh: Fresh, rounds: int) -> None:
    """As many threads as cores beside a busy loop on each of them, against one thread there: seconds for a token."""
    count = max(2, cores.physical_cores())
    async with AsyncExitStack() as stack:
        sides = [_engine(stack, path, threads) for threads in (1, count)]
        for side in sides:
            stack.push_async_callback(side.close)
            await side.first("hello", 2)
        ratios: list[float] = []
        with busy(count):
            for at in range(rounds):
                prompt, order = fresh(1, 120), sides[at % 2 :] + sides[: at % 2]
                took = {side.name: await _a_token(side, prompt) for side in order}
                ratios.append(took[str(count)] / took["1"])
        verdict.note(f"{count} threads beside {count} busy loops, worst round", max(ratios), "x")
        verdict.bar(f"{count} threads beside {count} busy loops: beside one thread", statistics.median(ratios), 4, "x")


def _engine(stack: AsyncExitStack, path: Path, threads: int) -> Ours:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    settings = EngineSettings(context=4096, threads=threads, model_file=str(path))
    return Ours(Engine(settings, Path(folder), Announced(), batch_threads=threads), str(threads))


async def _a_token(side: Ours, prompt: Sequence[str]) -> float:
    """Seconds for a token, from the first one on."""
    begun = time.perf_counter()
    first = await side.first(prompt[0], TOKENS)
    return (time.perf_counter() - begun - first) / (TOKENS - 1)


@contextmanager
def busy(count: int) -> Generator[None]:
    """So many processes that do nothing but compute."""
    loops = [subprocess.Popen((sys.executable, "-c", "while True: pass")) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


async def _alone() -> int:
    """This part by itself, on the small model."""
    from bench.engine import Texts
    from bench.shapes import small

    verdict, texts = Verdict("engine-time"), Texts()
    rounds = int(os.environ.get("BENCH_ROUNDS", "5"))
    await outside(verdict, small(), texts.fresh, rounds)
    await crowded(verdict, small(), texts.fresh, rounds)
    return verdict.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(_alone()))
