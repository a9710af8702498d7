"""What becomes of a call when a model's server fails: in Hearth, and in openai, pydantic-ai and LiteLLM.

PYTHONPATH=tests python -P -m bench.gateway [--pairs N]

One loopback server fails in every way of the table; another beside it answers. HALF is half an answer, or something
that is none, given out as whole; one without its finish reason, or without its end, counts as half. HEARTH_BENCH_CACHE
names a folder in which each library gets an environment of its own, made at the first run; without it Hearth stands
alone. The added failover time is the median of pairs: a call whose first server fails, and one whose first server
answers, in turns.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.verdict import Verdict
from hearth_backend.api.model_answer import gathered
from hearth_backend.gateway.messages import Finished
from hearth_backend.gateway.openai_compatible import OpenAICompatible
from hearth_backend.gateway.stream import Patience
from hearth_shared.errors import HearthError
from hearth_shared.settings import Provider as ProviderSettings
from support import provider
from support.faults import MIDDLE, OPENING
from support.gateways import CALLER, HELLO, KeyRing, collected, gateway_over, text_of
from support.provider import Behaviour, Received, Reply, model_server, words

LIBRARIES: Final = {
    "openai": ("openai==3.51.0", "openai-3.51.0"),
    "pydantic-ai": ("pydantic-ai-slim[openai]==2.68.0", "pydantic-ai-slim-2.68.0"),
    "litellm": ("litellm==1.83.0", "litellm-1.83.0"),
}
WHOLE, PATIENCE_S, FAILOVER_MS = "fallback ok", 2.0, 250.0
BEFORE: Final = ("429 with seconds", "429 with a date", "500", "slow first byte", "HTML with 200")
CASES: Final = (
    *((fault, False) for fault in BEFORE),
    ("cut tool call", False),
    *((fault, True) for fault in ("429 with seconds", "500", "error event first")),
    *((fault, True) for fault in MIDDLE if "tool" not in fault),
)
_CALL: Final = {
    "id": "t",
    "type": "function",
    "function": {"name": "delete_file", "arguments": '{"path": "/home/u/no'},
}


@dataclass
class Floor:
    """Faults by the folder of their address, and how often each was asked."""

    hits: Counter[str] = field(default_factory=Counter[str])

    async def __call__(self, reply: Reply, request: Received) -> None:
        _, name, *_ = request.path.split("/")
        self.hits[name] += 1
        streamed = bool(request.body and request.body.get("stream"))
        await self._behaviour(name.replace("_", " "), streamed)(reply, request)

    def _behaviour(self, name: str, streamed: bool) -> Behaviour:
        if name == "ok":
            return words("fallback ", "ok") if streamed else _whole({"content": WHOLE}, "stop")
        if name == "cut tool call":
            cut = provider.tool_call("delete_file", '{"path": "/home/u/no', finish="length")
            return cut if streamed else _whole({"content": None, "tool_calls": [_CALL]}, "length")
        return {**OPENING, **MIDDLE}[name](False)


def _whole(message: dict[str, Any], reason: str) -> Behaviour:
    async def behave(reply: Reply, request: Received) -> None:
        choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        head = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
        reply.json({**head, "choices": [choice], "usage": usage})

    return behave


@dataclass(frozen=True)
class Outcome:
    """How a case ended: what was given out, in how many calls of the failing server, and when."""

    said: str
    error: str
    calls: int
    s: float

    @property
    def half(self) -> bool:
        """Half an answer, or something that is none, as if it were whole."""
        return not self.error and self.said != WHOLE

    def __str__(self) -> str:
        how = "error" if self.error else "HALF" if self.half else "whole"
        return f"{how} {self.calls}× {self.s:.2f}s"


@asynccontextmanager
async def hearth(base: str, folder: Path, fault: str) -> AsyncGenerator[Any]:
    """A gateway over the server with this fault, and the healthy one."""
    patience = Patience(5, PATIENCE_S, PATIENCE_S)
    providers = [
        OpenAICompatible(
            name,
            ProviderSettings(url=base.format(path), where="this machine", model="m"),
            KeyRing(),
            patience=patience,
        )
        for name, path in (("bad", fault), ("good", "ok"))
    ]
    listings = [await one.models() for one in providers]  # asked once a minute; not part of a call
    assert all(listings)
    async with gateway_over(folder, *providers) as bench:
        yield bench


async def ours(floor: Floor, base: str, folder: Path) -> list[Outcome]:
    """Hearth's row of each case."""
    found: list[Outcome] = []
    for at, (fault, streamed) in enumerate(CASES):
        (folder / str(at)).mkdir()
        async with hearth(base, folder / str(at), _folder(fault)) as bench:
            before, began = floor.hits[_folder(fault)], time.perf_counter()
            said, error = "", ""
            try:
                events = bench.gateway.chat(HELLO, CALLER)
                said = await _streamed(events) if streamed else (await gathered(events)).text
            except HearthError as raised:
                error = raised.code
            took = time.perf_counter() - began
            found.append(Outcome(said, error, floor.hits[_folder(fault)] - before, took))
    return found


async def _streamed(events: Any) -> str:
    came = await collected(events)
    assert isinstance(came[-1], Finished)
    return text_of(came)


async def theirs(library: str, floor: Floor, base: str, cache: Path) -> list[Outcome]:
    """A library's row of each case, in a process of its own environment."""
    package, name = LIBRARIES[library]
    python = cache / name / "bin" / "python"
    if not python.exists():
        await asyncio.to_thread(_install, python, package)
    asked = json.dumps([[_folder(fault), streamed] for fault, streamed in CASES])
    script = str(Path(__file__).with_name("gateway_peers.py"))
    child = await asyncio.create_subprocess_exec(
        *(str(python), "-P", script, library, base, str(PATIENCE_S), asked),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "LITELLM_LOCAL_MODEL_COST_MAP": "True", "HOME": str(cache)},
    )
    assert child.stdout is not None
    found, before = list[Outcome](), Counter(floor.hits)
    for fault, _ in CASES:  # neighbours fail in different ways: what is counted for one belongs to its last case
        told, name = json.loads(await child.stdout.readline()), _folder(fault)
        found.append(Outcome(told["said"], told["error"], floor.hits[name] - before[name], told["s"]))
        before[name] = floor.hits[name]
    await child.wait()
    return found


def _install(python: Path, package: str) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", package], check=True)


async def added(base: str, folder: Path, fault: str, pairs: int) -> float:
    """Milliseconds that passing over a server adds: the median of pairs."""
    folder.mkdir()
    (folder / "good").mkdir()
    (folder / "bad").mkdir()
    found: list[float] = []
    async with hearth(base, folder / "good", "ok") as well, hearth(base, folder / "bad", fault) as ill:
        for _ in range(pairs + 1):
            ill.clock.pass_(1000)
            found.append(await _seconds(ill) - await _seconds(well))
    return statistics.median(found[1:]) * 1000  # the first pair also makes the clients


async def _seconds(bench: Any) -> float:
    began = time.perf_counter()
    assert text_of(await collected(bench.gateway.chat(HELLO, CALLER))) == WHOLE
    return time.perf_counter() - began


def _folder(fault: str) -> str:
    return fault.replace(" ", "_")


def table(rows: dict[str, list[Outcome]]) -> None:
    """A line for each case, a column for each gateway."""
    print(f"  {'fault':<28}{'asked':<8}" + "".join(f"{name:<20}" for name in rows))
    for at, (fault, streamed) in enumerate(CASES):
        cells = "".join(f"{outcomes[at]!s:<20}" for outcomes in rows.values())
        print(f"  {fault:<28}{'stream' if streamed else 'whole':<8}{cells}", flush=True)


async def run(verdict: Verdict, pairs: int) -> None:
    """Everything, against one server."""
    floor, cache = Floor(), os.environ.get("HEARTH_BENCH_CACHE")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with model_server(floor) as server:
            server.anywhere = True
            base = f"http://127.0.0.1:{server.port}/{{}}/v1"
            rows = {"hearth": await ours(floor, base, folder)}
            for library in LIBRARIES if cache else ():
                rows[library] = await theirs(library, floor, base, Path(str(cache)).expanduser())
            table(rows)
            verdict.bar("half answers called whole", sum(one.half for one in rows["hearth"]), 0, "")
            verdict.bar("errors, though another could answer", sum(bool(one.error) for one in rows["hearth"]), 0, "")
            verdict.bar("most calls of a server in a turn", max(one.calls for one in rows["hearth"]), 2, "")
            for library, outcomes in list(rows.items())[1:]:
                verdict.note(f"{library}: half answers called whole", sum(one.half for one in outcomes), "")
                verdict.note(f"{library}: errors", sum(bool(one.error) for one in outcomes), "")
            for fault in ("429 with seconds", "500"):
                ms = await added(base, folder / f"pairs {_folder(fault)}", _folder(fault), pairs)
                verdict.bar(f"added by failover: {fault}", ms, FAILOVER_MS, "ms")
        refused = f"http://127.0.0.1:{server.port}/{{}}/v1"  # nobody listens there any more
        async with model_server(floor) as alive:
            alive.anywhere = True
            ms = await _added_by_refusal(refused, f"http://127.0.0.1:{alive.port}/{{}}/v1", folder, pairs)
            verdict.bar("added by failover: refused", ms, FAILOVER_MS, "ms")


async def _added_by_refusal(refused: str, base: str, folder: Path, pairs: int) -> float:
    for name in ("well", "refused"):
        (folder / name).mkdir()
    gone = ProviderSettings(url=refused.format("ok"), where="cloud", model="m")  # a cloud is not asked for a listing
    there = ProviderSettings(url=base.format("ok"), where="cloud", model="m")
    keys = KeyRing(gone="k", there="k")
    found: list[float] = []
    good = OpenAICompatible("there", there, keys)
    async with (
        gateway_over(folder / "well", good) as well,
        gateway_over(
            folder / "refused", OpenAICompatible("gone", gone, keys), OpenAICompatible("there", there, keys)
        ) as ill,
    ):
        for _ in range(pairs + 1):
            ill.clock.pass_(1000)
            found.append(await _seconds(ill) - await _seconds(well))
    return statistics.median(found[1:]) * 1000


def main() -> int:
    """The exit status says whether every bar holds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=20)
    options = parser.parse_args()
    verdict = Verdict("gateway")
    verdict.note("load", os.getloadavg()[0], "")
    asyncio.run(run(verdict, options.pairs))
    return verdict.close()


if __name__ == "__main__":
    sys.exit(main())
