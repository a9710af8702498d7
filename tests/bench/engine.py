"""The engine beside its peers, in one run: rounds interleaved, the same file, the same threads.

PYTHONPATH=tests python -P -m bench.engine [--sizes 93M,1.5B,3B] [--rounds N] [--only PART,PART]

Figures are tokens per second of processor time of every process at work, which a busy machine hardly changes, and
ratios of seconds. `make bench-peers` builds llama-server from the same source and fetches what `python -m
llama_cpp.server` needs; HEARTH_BENCH_LLAMA_SERVER and HEARTH_BENCH_PACKAGES name others. A peer that is not there is
not compared with.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

from bench import shapes
from bench.engine_door import door
from bench.engine_time import crowded, outside
from bench.peers import Ours, Peer, Plain, Round, bindings_server, llama_server, made
from bench.verdict import Verdict
from hearth_backend.engine.client import Engine
from hearth_backend.engine.frames import Piece
from hearth_backend.engine.sampling import Sampling
from hearth_backend.engine.supervisor import Asker
from hearth_shared.errors import Cancelled
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced, heard

CONTEXT = 8192
NEW = 32
THREADS = (1, 1)
LONG = 4000  # characters: about 1,500 tokens of the generated models
PARTS = ("speeds", "shared", "typing", "door", "time", "first", "beginnings")


class Texts:
    """Prompts that no engine has seen before: pieces of the standard library's source."""

    def __init__(self) -> None:
        root = Path(os.__file__).parent
        self._text = "\n".join((root / name).read_text("utf-8") for name in ("argparse.py", "typing.py", "inspect.py"))
        self._text += "\n".join((root / name).read_text("utf-8") for name in ("tarfile.py", "turtle.py", "doctest.py"))
        self._at = 1000

    def fresh(self, count: int, characters: int) -> list[str]:
        """`count` pieces of so many characters."""
        found: list[str] = []
        for _ in range(count):
            if self._at + characters > len(self._text):
                self._at = 137
            found.append(self._text[self._at : self._at + characters])
            self._at += characters
        return found


Rounds = dict[str, list[Round]]


async def interleaved(peers: Sequence[Peer], rounds: int, prompts: Callable[[], list[str]], tokens: int) -> Rounds:
    """The same prompts to everyone in each round, another one first each time."""
    found: Rounds = {peer.name: [] for peer in peers}
    for at in range(rounds):
        asked = prompts()
        for peer in [*peers[at % len(peers) :], *peers[: at % len(peers)]]:
            found[peer.name].append(await peer.round(asked, tokens))
    return found


def ratio(found: Rounds, one: str, other: str, value: Callable[[Round], float]) -> float:
    """The median of the rounds' own ratios."""
    pairs = zip(found[one], found[other], strict=True)
    return statistics.median(value(mine) / max(value(theirs), 1e-9) for mine, theirs in pairs)


def speed(one: Round) -> float:
    return one.tokens_per_cpu_s


def slowness(one: Round) -> float:
    return 1 / one.tokens_per_cpu_s


def told(verdict: Verdict, label: str, found: Rounds) -> None:
    for name, rounds in found.items():
        verdict.note(f"{label}: {name}, tokens per CPU second", statistics.median(map(speed, rounds)), "")
        verdict.note(f"{label}: {name}, mean first word", 1e3 * statistics.median(r.first_s for r in rounds), "ms")


async def speeds(verdict: Verdict, size: str, peers: Sequence[Peer], texts: Texts, rounds: int) -> None:
    """1, 4 and 8 requests at once; every bar as the time our token takes beside theirs, at most so much."""
    for count, best in ((1, 0.95), (4, 1.0), (8, 1.0)):
        label = f"{size}, {count} at once"
        found = await interleaved(peers, rounds, lambda count=count: texts.fresh(count, 300), NEW)
        told(verdict, label, found)
        for peer in peers[1:]:
            least = {"llama_cpp.server": 1.25}.get(peer.name, best) if size == "93M" else best
            if (peer.name, size, count) == ("llama-server", "93M", 4):
                least = 1.25
            verdict.bar(
                f"{label}: cost beside {peer.name}", ratio(found, "engine", peer.name, slowness), 1 / least, "x"
            )
        if count == 8 and "llama_cpp.server" in found:
            first = ratio(found, "engine", "llama_cpp.server", lambda r: r.first_s)
            verdict.bar(f"{label}: first word beside llama_cpp.server", first, 0.6, "x")


async def shared(verdict: Verdict, peers: Sequence[Peer], texts: Texts, rounds: int) -> None:
    """Eight at once that begin alike, with nothing known of it."""

    def prompts() -> list[str]:
        beginning = texts.fresh(1, 1600)[0]
        return [beginning + end for end in texts.fresh(8, 120)]

    together = [peer for peer in peers if peer.name != "llama_cpp.server"]
    found = await interleaved(together, rounds, prompts, 16)
    told(verdict, "93M, 8 with one beginning", found)
    if "llama-server" in found:
        cost = ratio(found, "engine", "llama-server", lambda r: r.cpu_s)
        first = ratio(found, "engine", "llama-server", lambda r: r.first_s)
        verdict.bar("93M, 8 with one beginning: CPU beside llama-server", cost, 0.4, "x")
        verdict.bar("93M, 8 with one beginning: first word", first, 0.4, "x")


async def typing(verdict: Verdict, size: str, ours: Ours, texts: Texts, rounds: int, characters: int) -> None:
    """The first word of a completion that comes during three long prompts, first of all in line and in its own lane."""
    found: dict[str, list[float]] = {"inline": [], "chat": []}
    for _ in range(rounds):
        for lane in ("inline", "chat"):
            long = [asyncio.create_task(ours.first(text, 16)) for text in texts.fresh(3, characters)]
            await asyncio.sleep(0.3)
            # in one lane it is served behind them, as it came
            found[lane].append(await ours.first(texts.fresh(1, 200)[0], 8, "inline" if lane == "inline" else "chat"))
            await asyncio.gather(*long)
    inline, queued = (statistics.median(found[lane]) for lane in ("inline", "chat"))
    verdict.note(f"{size}, typing during three long prompts", 1e3 * inline, "ms")
    verdict.note(f"{size}, the same first come, first served", 1e3 * queued, "ms")
    verdict.bar(f"{size}, typing beside first come, first served", inline / queued, 0.1, "x")


async def keystrokes(verdict: Verdict, ours: Ours) -> None:
    """Twenty completions in one second for one document."""
    reached = 0

    async def press(number: int) -> None:
        nonlocal reached
        try:
            asker = Asker("bench", "a.py")
            if await heard(ours.engine.complete("", f"def main({number}", asker=asker)):
                reached += 1
        except Cancelled:
            pass

    pressed: list[asyncio.Task[None]] = []
    for number in range(20):
        pressed.append(asyncio.create_task(press(number)))
        await asyncio.sleep(0.05)
    await asyncio.gather(*pressed)
    verdict.bar("20 keystrokes in a second: reach the model", reached, 2, "")


async def cancelling(verdict: Verdict, ours: Ours, texts: Texts) -> None:
    """From leaving an answer while its prompt is read until the next one begins."""
    found: list[float] = []
    for text in texts.fresh(8, 6000):
        task = asyncio.create_task(ours.first(text, 64))
        await asyncio.sleep(0.1)
        task.cancel()
        left = time.perf_counter()
        await ours.first("y", 1)
        found.append(1e3 * (time.perf_counter() - left))
    verdict.note("leaving a long prompt, until the next answer's first word", statistics.median(found), "ms")


async def at_work(
    path: Path, threads: tuple[int, int], stack: AsyncExitStack, *, servers: bool = True
) -> tuple[Ours, list[Peer]]:
    """Our engine and its peers, loaded and warm."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    settings = EngineSettings(context=CONTEXT, threads=threads[0], model_file=str(path), idle_s=86_400)
    ours = Ours(Engine(settings, Path(folder), Announced(), batch_threads=threads[1]))
    peers: list[Peer] = [ours]
    waits: list[Callable[[], Awaitable[object]]] = [lambda: ours.first("hello", 2)]
    plain = Plain(path, CONTEXT // 4, threads)
    peers.append(plain)
    waits.append(plain.wait)
    program, packages = made()
    if servers and packages:
        server = bindings_server(path, CONTEXT // 4, threads, packages)
        peers.append(server)
        waits.append(server.wait)
    if servers and program:
        server = llama_server(program, path, CONTEXT, threads)
        peers.append(server)
        waits.append(server.wait)
    for peer in peers:
        stack.push_async_callback(peer.close)
    for wait in waits:
        await wait()
    return ours, peers


Part = Callable[[str], bool]


async def small(verdict: Verdict, texts: Texts, rounds: int, part: Part) -> None:
    """Everything on the small model."""
    if part("speeds") or part("shared") or part("typing"):
        async with AsyncExitStack() as stack:
            ours, peers = await at_work(shapes.small(), THREADS, stack)
            if part("speeds"):
                await speeds(verdict, "93M", peers, texts, rounds)
            if part("shared"):
                await shared(verdict, peers, texts, rounds)
            if part("typing"):
                await typing(verdict, "93M", ours, texts, rounds, 2600)
                await keystrokes(verdict, ours)
                await cancelling(verdict, ours, texts)
    if part("door"):
        await door(verdict, shapes.small(), texts.fresh, rounds)
    if part("time"):
        await outside(verdict, shapes.small(), texts.fresh, rounds)
        await crowded(verdict, shapes.small(), texts.fresh, rounds)


async def large(verdict: Verdict, size: str, texts: Texts, rounds: int, part: Part) -> None:
    """What a model of the size that people use shows."""
    path = shapes.large(float(size.removesuffix("B")))
    if part("speeds") or part("first") or part("typing"):
        async with AsyncExitStack() as stack:
            ours, peers = await at_work(path, THREADS, stack)
            if part("first"):
                await first_words(verdict, size, peers, texts, rounds)
            if part("speeds"):
                await speeds(verdict, size, peers, texts, rounds)
            if part("typing"):
                await typing(verdict, size, ours, texts, rounds, 1500)
    if part("beginnings"):
        await beginnings(verdict, size, path)


async def first_words(verdict: Verdict, size: str, peers: Sequence[Peer], texts: Texts, rounds: int) -> None:
    """A prompt of about 1,500 tokens that nobody has seen, and one token after it: processor time, and seconds."""
    both = [peer for peer in peers if peer.name in ("engine", "llama-server")]
    found = await interleaved(both, rounds, lambda: texts.fresh(1, LONG), 1)
    for name, each in found.items():
        verdict.note(f"{size}, first word after a long prompt: {name}", statistics.median(r.first_s for r in each), "s")
    if len(both) == 2:
        seconds = ratio(found, "engine", "llama-server", lambda r: r.first_s)
        verdict.note(f"{size}, first word after a long prompt, seconds beside llama-server", seconds, "x")
        cost = ratio(found, "engine", "llama-server", lambda r: r.cpu_s)
        verdict.bar(f"{size}, first word after a long prompt, CPU beside llama-server", cost, 1.05, "x")


async def beginnings(verdict: Verdict, size: str, path: Path) -> None:
    """The first word of a conversation with a long system prompt: never seen, and restored from its file."""
    system = {"role": "system", "content": "You are careful, answer in few words and say what you do not know. " * 62}
    found: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for asked in ("Why is the sea salt?", "Why is the sky blue?"):
            settings = EngineSettings(context=CONTEXT, threads=THREADS[0], model_file=str(path), idle_s=86_400)
            states = Path(folder, "kv")
            engine = Engine(settings, Path(folder), Announced(), batch_threads=THREADS[1], states=states)
            await Ours(engine).first("hello", 2)
            begun, first = time.perf_counter(), 0.0
            messages = [system, {"role": "user", "content": asked + " Explain. " * 130}]
            async with aclosing(engine.chat("", messages, Sampling(max_tokens=8, temperature=0))) as answer:
                async for event in answer:
                    if not first and isinstance(event, Piece):
                        first = time.perf_counter() - begun
            found.append(first)
            await engine.close()
    verdict.note(f"{size}, first word with a long system prompt, cold", found[0], "s")
    verdict.note(f"{size}, the same with the system prompt restored", found[1], "s")
    verdict.bar(f"{size}, restored beside cold", found[1] / found[0], 0.45, "x")


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="93M,1.5B", help="of the models, with commas between them")
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("BENCH_ROUNDS", "5")))
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    given = parser.parse_args()
    only = set(given.only.split(","))
    verdict, texts = Verdict("engine"), Texts()
    verdict.note("load of the machine before", os.getloadavg()[0], "")
    for size in given.sizes.split(","):
        if size == "93M":
            await small(verdict, texts, given.rounds, only.__contains__)
        else:
            await large(verdict, size, texts, max(1, given.rounds // 2), only.__contains__)
    verdict.note("load of the machine after", os.getloadavg()[0], "")
    return verdict.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
