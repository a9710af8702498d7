"""What the HTTP door costs beside the engine in process: the same conversations, streamed, tokens for a second of CPU.

On the one side the backend and its engine child are counted, on the other the child and this process, which asks it.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

from bench.backend import Backend, new_home, running
from bench.peers import Ours, Round
from bench.processes import cpu_s, tree
from bench.verdict import Verdict
from hearth_backend.engine.client import Engine
from hearth_backend.engine.frames import Piece
from hearth_backend.engine.lanes import Lane
from hearth_backend.engine.sampling import Sampling
from hearth_shared.settings import Engine as EngineSettings
from support.engines import Announced, user

CONTEXT = 8192
TOKENS = 64


class InProcess(Ours):
    """Conversations through the engine's client."""

    async def first(self, prompt: str, tokens: int, lane: Lane = "chat") -> float:
        begun, first = time.perf_counter(), 0.0
        sampling = Sampling(max_tokens=tokens, temperature=0)
        async with aclosing(self.engine.chat("", user(prompt), sampling, lane=lane)) as answer:
            async for event in answer:
                if not first and isinstance(event, Piece):
                    first = time.perf_counter() - begun
        return first


class Door:
    """The same over HTTP: OpenAI's chat completions as an event stream."""

    name = "over HTTP"

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def round(self, prompts: Sequence[str], tokens: int) -> Round:
        before, begun = self._cpu_s(), time.perf_counter()
        firsts = await asyncio.gather(*(self.first(prompt, tokens) for prompt in prompts))
        used = self._cpu_s() - before
        return Round(len(prompts) * tokens, used, tuple(firsts), time.perf_counter() - begun)

    async def first(self, prompt: str, tokens: int) -> float:
        body = {"model": "auto", "messages": user(prompt), "stream": True, "temperature": 0, "max_tokens": tokens}
        begun, first = time.perf_counter(), 0.0
        async for chunk in self._chunks(body):
            if not first and chunk["choices"] and chunk["choices"][0]["delta"].get("content"):
                first = time.perf_counter() - begun
        return first

    async def close(self) -> None:
        """The backend is whoever's began it."""

    def _cpu_s(self) -> float:
        return sum(map(cpu_s, tree(self._backend.endpoint.pid)))

    async def _chunks(self, body: dict[str, Any]) -> AsyncIterator[Any]:
        reader, writer = await asyncio.open_unix_connection(self._backend.endpoint.socket)
        data = json.dumps(body).encode()
        lines = (
            "POST /v1/chat/completions HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {self._backend.key}",
            "Content-Type: application/json",
            f"Content-Length: {len(data)}",
            "Connection: close",
        )
        writer.write("\r\n".join((*lines, "", "")).encode() + data)
        try:
            while line := await reader.readline():
                if line.startswith(b"data: {"):
                    yield json.loads(line[6:])
                elif line.startswith(b"HTTP/1.1") and b" 200" not in line:
                    raise SystemExit(f"the door answered {line.decode()}")
        finally:
            writer.close()


async def door(verdict: Verdict, path: Path, fresh: Any, rounds: int) -> None:
    """1, 4 and 8 conversations at once, on both sides in turn."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        settings = EngineSettings(context=CONTEXT, threads=1, model_file=str(path))
        inside = InProcess(Engine(settings, Path(folder), Announced()), "in process")
        stack.push_async_callback(inside.close)
        home = stack.enter_context(new_home())
        options = {"MODEL_FILE": str(path), "THREADS": "1", "CONTEXT": str(CONTEXT)}
        backend = stack.enter_context(
            running(home, **{f"HEARTH_ENGINE__{name}": value for name, value in options.items()})
        )
        outside = Door(backend)
        await inside.first("hello", 2)
        await outside.first("hello", 2)
        for count in (1, 4, 8):
            ratios: list[float] = []
            for at in range(rounds):
                prompts = fresh(count, 300)
                sides = (inside, outside) if at % 2 else (outside, inside)
                found = {side.name: await side.round(prompts, TOKENS) for side in sides}
                ratios.append(found["over HTTP"].tokens_per_cpu_s / found["in process"].tokens_per_cpu_s)
            cost = 1 / statistics.median(ratios)
            verdict.bar(f"HTTP door, {count} at once: cost beside in process", cost, 1 / 0.88, "x")
