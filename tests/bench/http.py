"""`make bench-http`: 1000 requests a second for a minute from a second process, then ten times that for five seconds.

Every request goes over the Unix socket with the command line's key: 70 % read, 30 % store a task that stays queued
because no worker runs. What a read and a stored task cost is measured apart, at the same rate, beside a bare FastAPI
echo. BENCH_SECONDS shortens the minute.
"""

import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench import echo
from bench.backend import Backend, new_home, running
from bench.load import Outcome, Spec, generate
from bench.processes import cpu_s
from bench.verdict import Verdict

RATE = 1000
SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))
APART_S = min(SECONDS, 10.0)
SPIKE_S = 5.0
GET = "/v1/agents"
POST = "/v1/agents/assistant/tasks"
TASK = {"goal": "Summarise what changed in the open editor since this morning, in three sentences."}
GET_BAR_US, POST_BAR_US = 100.0, 250.0
WORST_P99_MS = 1000.0
Load = Callable[[int, float, int], Outcome]


def main() -> int:
    verdict = Verdict("http")
    _bare(verdict)
    with new_home() as home:
        with running(home, HEARTH_RUNS__WORKERS="0") as backend:
            load = _load_on(backend)
            accepted = _apart(verdict, backend, load) + _mix(verdict, backend, load) + _spike(verdict, load)
        with closing(sqlite3.connect(home.database)) as database:
            stored = int(database.execute("select count(*) from run").fetchone()[0])
    print(f"after the backend has ended: {stored} tasks stored, {accepted} acknowledged")
    verdict.must("every acknowledged task is stored", stored >= accepted > 0)
    return verdict.close()


def _load_on(backend: Backend) -> Load:
    def load(rate: int, seconds: float, posts: int) -> Outcome:
        connections = 64 if rate <= RATE else 512
        return generate(Spec(backend.endpoint.socket, backend.key, GET, POST, TASK, rate, seconds, posts, connections))

    return load


def _bare(verdict: Verdict) -> None:
    print(f"bare FastAPI echo, {RATE}/s for {APART_S:.0f} s each")
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder, "echo.sock")
        with echo.running(socket) as pid:
            for name, posts in (("GET", 0), ("POST", 10)):
                spec = Spec(str(socket), "none", "/echo", "/echo", TASK, RATE, APART_S, posts)
                us, _ = _cost_of(pid, lambda spec=spec: generate(spec))
                verdict.note(f"bare {name}, server's CPU", us, "µs")


def _apart(verdict: Verdict, backend: Backend, load: Load) -> int:
    print(f"Hearth, {RATE}/s for {APART_S:.0f} s each")
    accepted = 0
    for name, posts, most in (("GET", 0, GET_BAR_US), ("durable POST", 10, POST_BAR_US)):
        us, outcome = _cost_of(backend.endpoint.pid, lambda posts=posts: load(RATE, APART_S, posts))
        verdict.bar(f"{name}, server's CPU", us, most, "µs")
        verdict.bar(f"{name}, errors", outcome.errors, 0, "")
        accepted += _accepted(outcome)
    return accepted


def _mix(verdict: Verdict, backend: Backend, load: Load) -> int:
    print(f"70 % GET and 30 % durable POST, {RATE}/s for {SECONDS:.0f} s")
    us, outcome = _cost_of(backend.endpoint.pid, lambda: load(RATE, SECONDS, 3))
    verdict.bar("mix, errors", outcome.errors, 0, f"of {outcome.sent} {outcome.statuses}")
    verdict.note("mix, server's CPU for a request", us, "µs")
    verdict.note("mix, share of one core", us * outcome.sent / outcome.seconds / 1e4, "%")
    for name, quantiles in (("GET", outcome.get_ms), ("POST", outcome.post_ms)):
        for quantile, value in quantiles.items():
            verdict.note(f"mix, {name} {quantile}", value, "ms")
    return _accepted(outcome)


def _spike(verdict: Verdict, load: Load) -> int:
    print(f"spike: {10 * RATE}/s for {SPIKE_S:.0f} s, then {RATE}/s again for {APART_S:.0f} s")
    spike = load(10 * RATE, SPIKE_S, 3)
    refused = sum(spike.statuses.get(status, 0) for status in ("429", "503"))
    served = sum(count for status, count in spike.statuses.items() if status.startswith("2"))
    print(f"  {spike.sent} sent, answered {spike.statuses} in {spike.seconds:.1f} s")
    verdict.bar("spike, lost or answered otherwise", spike.sent - served - refused, 0, "")
    verdict.must("spike, some were refused with 429 or 503", refused > 0)
    after = load(RATE, APART_S, 3)
    verdict.bar("after the spike, errors", after.errors, 0, f"of {after.sent} {after.statuses}")
    verdict.bar("after the spike, POST p99", after.post_ms.get("p99", float("inf")), WORST_P99_MS, "ms")
    return _accepted(spike) + _accepted(after)


def _cost_of(pid: int, work: Callable[[], Outcome]) -> tuple[float, Outcome]:
    before = cpu_s(pid)
    outcome = work()
    return (cpu_s(pid) - before) / max(outcome.sent, 1) * 1e6, outcome


def _accepted(outcome: Outcome) -> int:
    return outcome.statuses.get("202", 0)


if __name__ == "__main__":
    sys.exit(main())
