"""What the panel costs over HTTP: processor time of backend and bridge for one answer.

PYTHONPATH=tests python -P -m bench.door_browser

The same answer, in as many pieces and at the same pace, is asked for over HTTP, by another door of the person's that
reads the stream of its message, and in the real side panel, in turns: both are recalled and remembered alike, in a
house of the same age. No panel is open while HTTP has its turn. What the browser itself spends is not counted. Of
several answers the cheapest counts: whatever else runs only ever adds.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

from bench.verdict import Verdict
from hearth_shared.discovery import read_bridge
from support.backend import Backend, running
from support.browser import Panel, chromium
from support.provider import Received, Reply
from support.scripted_server import Scripted

ROUNDS, ANSWERS, PIECES, PACE_S = 4, 4, 50, 0.04
BAR_MS = 10.0
_QUESTION = "Count for me."


def measure(rounds: int = ROUNDS, answers: int = ANSWERS, pieces: int = PIECES) -> dict[str, float]:
    """Milliseconds of processor time for each answer; `added_ms` is what the bar is about."""
    http, beside = list[dict[str, float]](), list[dict[str, float]]()
    with _stage(pieces) as (folder, house):
        program = _Program(house)
        for number in range(rounds):
            program.ask()  # warm
            for _ in range(answers):
                with _spent({"backend": house.process.pid}, http):
                    program.ask()
            with _side_panel(folder / f"browser-{number}", house) as (panel, bridge):
                for _ in range(answers):
                    with _spent({"backend": house.process.pid, "bridge": bridge}, beside):
                        _ask(panel)
    return _figures(http, beside)


@contextlib.contextmanager
def _side_panel(folder: Path, house: Backend) -> Generator[tuple[Panel, int]]:
    with chromium(folder, house.home) as browser:
        panel = browser.side_panel()
        panel.pair()
        bridge = read_bridge(house.home)
        assert bridge is not None
        _ask(panel)  # warm
        yield panel, bridge.pid


def _ask(panel: Panel) -> None:
    panel.send(_QUESTION)
    panel.answered()


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
    """Says something in a thread of its own and reads the answer's events to their end, as the command line does."""

    def __init__(self, house: Backend) -> None:
        self._client = house.door("cli")
        self._thread = self._client.post("/v1/threads", json={}).json()["id"]

    def ask(self) -> None:
        path, accept = f"/v1/threads/{self._thread}/messages", {"Accept": "text/event-stream"}
        with self._client.stream("POST", path, json={"text": _QUESTION}, headers=accept) as stream:
            assert any("task.finished" in line for line in stream.iter_lines())


@contextlib.contextmanager
def _stage(pieces: int) -> Generator[tuple[Path, Backend]]:
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
        with running(folder / "home", model.config) as house:
            yield folder, house


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
