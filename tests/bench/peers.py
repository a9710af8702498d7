"""Those the engine is held against: plain llama_cpp.Llama in turn, `python -m llama_cpp.server`, llama-server."""

import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import build_peers
from bench.processes import cpu_s
from hearth_backend.engine.client import Engine
from hearth_backend.engine.frames import Piece
from hearth_backend.engine.lanes import Lane
from hearth_backend.engine.sampling import Sampling

BATCH = 512


@dataclass(frozen=True, slots=True)
class Round:
    """What a round of prompts took."""

    tokens: int
    cpu_s: float
    firsts: tuple[float, ...]
    wall_s: float

    @property
    def tokens_per_cpu_s(self) -> float:
        return self.tokens / max(self.cpu_s, 1e-3)

    @property
    def first_s(self) -> float:
        return statistics.mean(self.firsts)


class Peer(Protocol):
    """Somebody who answers prompts greedily."""

    name: str

    async def round(self, prompts: Sequence[str], tokens: int) -> Round: ...

    async def close(self) -> None: ...


class Ours:
    """Hearth's engine through its client: the child's CPU and that of this process."""

    def __init__(self, engine: Engine, name: str = "engine") -> None:
        self.name = name
        self.engine = engine

    async def pid(self) -> int:
        running = (await self.engine.info("")).running
        assert running is not None
        return running.pid

    async def first(self, prompt: str, tokens: int, lane: Lane = "chat") -> float:
        """Seconds to the first text of one answer, read to its end."""
        begun, first = time.perf_counter(), 0.0
        stream = self.engine.complete("", prompt, None, Sampling(max_tokens=tokens, temperature=0), lane=lane)
        async with aclosing(stream) as answer:
            async for event in answer:
                if not first and isinstance(event, Piece):
                    first = time.perf_counter() - begun
        return first

    async def round(self, prompts: Sequence[str], tokens: int) -> Round:
        pid = await self.pid()
        cpu, own, begun = cpu_s(pid), time.process_time(), time.perf_counter()
        firsts = await asyncio.gather(*(self.first(prompt, tokens) for prompt in prompts))
        used = cpu_s(pid) - cpu + time.process_time() - own
        return Round(len(prompts) * tokens, used, tuple(firsts), time.perf_counter() - begun)

    async def close(self) -> None:
        await self.engine.close()


_PLAIN = """
import json, sys, time
from llama_cpp import Llama
path, context, threads, batch_threads = sys.argv[1], *map(int, sys.argv[2:5])
model = Llama(path, n_ctx=context, n_batch=512, n_threads=threads, n_threads_batch=batch_threads, verbose=False)
print("ready", flush=True)
for line in sys.stdin:
    prompts, tokens = json.loads(line)
    begun, cpu, firsts = time.perf_counter(), time.process_time(), []
    for prompt in prompts:
        first = 0.0
        for _ in model.create_completion(prompt, max_tokens=tokens, temperature=0, stream=True):
            first = first or time.perf_counter() - begun
        firsts.append(first)
    print(json.dumps([time.process_time() - cpu, firsts, time.perf_counter() - begun]), flush=True)
"""


class Plain:
    """llama_cpp.Llama in a process of its own, one prompt after the other."""

    name = "plain Llama"

    def __init__(self, path: Path, context: int, threads: tuple[int, int]) -> None:
        argv = (sys.executable, "-c", _PLAIN, str(path), str(context), *map(str, threads))
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    async def wait(self) -> None:
        await asyncio.to_thread(self._line)

    async def round(self, prompts: Sequence[str], tokens: int) -> Round:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([list(prompts), tokens]) + "\n")
        self._process.stdin.flush()
        cpu, firsts, wall = json.loads(await asyncio.to_thread(self._line))
        return Round(len(prompts) * tokens, cpu, tuple(firsts), wall)

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.to_thread(self._process.wait)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


class Server:
    """A server of another project; only its own CPU is counted, not ours for asking."""

    def __init__(self, name: str, argv: Sequence[str], port: int, *, native: bool, path: str = "") -> None:
        self.name = name
        self._port = port
        self._native = native
        env = {**os.environ, "GOMP_SPINCOUNT": "100"} | ({"PYTHONPATH": path} if path else {})
        self._process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)

    async def wait(self) -> None:
        """Until it answers."""
        async with asyncio.timeout(300):
            while self._process.poll() is None:
                with contextlib.suppress(OSError, RuntimeError):
                    await self._first("hello", 2)
                    return
                await asyncio.sleep(0.5)
        raise RuntimeError(f"{self.name} did not start")

    async def round(self, prompts: Sequence[str], tokens: int) -> Round:
        cpu, begun = cpu_s(self._process.pid), time.perf_counter()
        firsts = await asyncio.gather(*(self._first(prompt, tokens) for prompt in prompts))
        wall = time.perf_counter() - begun
        return Round(len(prompts) * tokens, cpu_s(self._process.pid) - cpu, tuple(firsts), wall)

    async def close(self) -> None:
        self._process.terminate()
        await asyncio.to_thread(self._process.wait)

    async def _first(self, prompt: str, tokens: int) -> float:
        body: dict[str, Any] = {"prompt": prompt, "stream": True, "temperature": 0}
        body |= {"n_predict": tokens, "cache_prompt": True} if self._native else {"max_tokens": tokens, "model": "m"}
        begun, first = time.perf_counter(), 0.0
        async for _ in _events(self._port, "/completion" if self._native else "/v1/completions", body):
            first = first or time.perf_counter() - begun
        return first


async def _events(port: int, path: str, body: dict[str, Any]) -> AsyncIterator[str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data)
    try:
        while line := await reader.readline():
            if line.startswith(b"data: {"):
                yield line.decode()
            elif line.startswith(b"HTTP/1.1") and b" 200" not in line:
                raise RuntimeError(line.decode())
    finally:
        writer.close()


def made() -> tuple[str, str]:
    """llama-server and the packages of the binding's server: those named in the environment, else `make bench-peers`'s;
    empty where there are none."""
    pin, processor = build_peers.here()
    cache = build_peers.default_cache()
    program, packages = build_peers.server_in(cache, pin, processor), build_peers.packages_in(cache)
    return (
        os.environ.get("HEARTH_BENCH_LLAMA_SERVER", str(program) if program.exists() else ""),
        os.environ.get("HEARTH_BENCH_PACKAGES", str(packages) if packages.is_dir() else ""),
    )


def port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def bindings_server(path: Path, context: int, threads: tuple[int, int], packages: str) -> Server:
    """The binding's own server; `packages` is a folder with what it needs beside Hearth's."""
    at = port()
    options = {"n_ctx": context, "n_threads": threads[0], "n_threads_batch": threads[1], "n_batch": BATCH}
    argv = [sys.executable, "-m", "llama_cpp.server", "--model", str(path), "--port", str(at), "--verbose", "False"]
    argv += ["--interrupt_requests", "False"]
    argv += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return Server("llama_cpp.server", argv, at, native=False, path=packages)


def llama_server(program: str, path: Path, context: int, threads: tuple[int, int]) -> Server:
    """llama-server, built from the same source."""
    at = port()
    argv = [program, "-m", str(path), "-c", str(context), "-np", "8", "-kvu", "-b", str(BATCH), "-ub", str(BATCH)]
    argv += ["-t", str(threads[0]), "-tb", str(threads[1]), "--cache-ram", "0", "--port", str(at)]
    return Server("llama-server", argv, at, native=True)
