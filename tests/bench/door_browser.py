"""What the panel costs over HTTP: processor time of backend and bridge for one answer.

PYTHONPATH=tests python -P -m bench.door_browser

The same answer, in as many pieces and at the same pace, is asked for by turns: over HTTP by a program that reads the
stream of its message, and in the real side panel. What the browser itself spends is not counted. Of several answers the
cheapest counts: whatever else runs on the machine only ever adds.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

from bench.verdict import Verdict
from hearth_shared.discovery import read_bridge
from hearth_shared.protocol.principals import Scope
from support.backend import Backend, running
from support.browser import Panel, chromium
from support.provider import Received, Reply
from support.scripted_server import Scripted

ANSWERS, PIECES, PACE_S = 8, 50, 0.04
BAR_MS = 10.0
_QUESTION = "Count for me."


def measure(answers: int = ANSWERS, pieces: int = PIECES) -> dict[str, float]:
    """Milliseconds of processor time for each answer; `added_ms` is what the bar is about."""
    with _stage(pieces) as (house, panel):
        bridge = read_bridge(house.home)
        assert bridge is not None
        pids = {"backend": house.process.pid, "bridge": bridge.pid}
        program = _Program(house)
        panel.send(_QUESTION)
        panel.answered()
        program.ask()  # both are warm now
        http, beside = list[dict[str, float]](), list[dict[str, float]]()
        for _ in range(answers):
            with _spent(pids, http):
                program.ask()
            with _spent(pids, beside):
                panel.send(_QUESTION)
                panel.answered()
    return _figures(http, beside)


def _figures(http: list[dict[str, float]], beside: list[dict[str, float]]) -> dict[str, float]:
    over_http = min(one["backend"] for one in http)
    in_backend, in_bridge = (min(one[name] for one in beside) for name in ("backend", "bridge"))
    return {
        "http_backend_ms": over_http,
        "panel_backend_ms": in_backend,
        "panel_bridge_ms": in_bridge,
        "added_ms": in_backend + in_bridge - over_http,
    }


class _Program:
    """A third-party program that says something in a thread of its own and reads the answer's events to their end."""

    def __init__(self, house: Backend) -> None:
        self._client = house.program(Scope.CHAT)
        self._thread = self._client.post("/v1/threads", json={}).json()["id"]

    def ask(self) -> None:
        path, accept = f"/v1/threads/{self._thread}/messages", {"Accept": "text/event-stream"}
        with self._client.stream("POST", path, json={"text": _QUESTION}, headers=accept) as stream:
            assert any("task.finished" in line for line in stream.iter_lines())


@contextlib.contextmanager
def _stage(pieces: int) -> Generator[tuple[Backend, Panel]]:
    async def counts(reply: Reply, request: Received) -> None:
        reply.start()
        for number in range(pieces):
            reply.delta(content=f"word {number} ")
            await reply.sent()
            await asyncio.sleep(PACE_S)
        reply.delta("stop")
        reply.done()

    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as name, Scripted() as model:
        folder = Path(name)
        model.does(counts)
        with running(folder / "home", model.config) as house, chromium(folder, house.home) as browser:
            panel = browser.side_panel()
            panel.pair()
            yield house, panel


@contextlib.contextmanager
def _spent(pids: dict[str, int], spent: list[dict[str, float]]) -> Generator[None]:
    before = {name: _cpu_ms(pid) for name, pid in pids.items()}
    yield
    spent.append({name: _cpu_ms(pid) - before[name] for name, pid in pids.items()})


def _cpu_ms(pid: int) -> float:
    """Of all its threads, in the scheduler's own count, which is finer than the clock's ticks."""
    counts = (path.read_text().split() for path in Path("/proc", str(pid), "task").glob("*/schedstat"))
    return sum(int(count[0]) for count in counts) / 1e6


def main() -> int:
    """The exit status: 1 when the bar is missed."""
    verdict = Verdict("door-browser")
    figures = measure()
    for name, value in figures.items():
        if name != "added_ms":
            verdict.note(f"an answer: {name.removesuffix('_ms').replace('_', ', ')}", value, "ms")
    verdict.bar("an answer: the panel adds over HTTP", figures["added_ms"], BAR_MS, "ms")
    return verdict.close()


if __name__ == "__main__":
    sys.exit(main())
