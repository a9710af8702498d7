"""`make bench-idle`: what Hearth costs while nobody asks it anything. BENCH_SECONDS shortens the minute.

The first start reads Hearth's own documentation into memory, so the bench waits until that is done and the embedder
has gone again. A wake-up is a voluntary context switch of any thread of the backend or its children.
"""

import os
import sys
import time

from bench.backend import Backend, new_home, running
from bench.processes import cost, memory_mb, name, tree
from bench.verdict import Verdict

SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))
SETTLE_S = 180.0
STILL_S = 3.0
CPU_BAR, WAKEUPS_BAR = 0.1, 2.0
MEMORY_BAR_MB, EMBEDDER_BAR_MB = 250.0, 450.0


def main() -> int:
    verdict = Verdict("idle")
    with new_home() as home, running(home, HEARTH_MEMORY__EMBEDDER_IDLE_S="10") as backend:
        pid = backend.endpoint.pid
        _settle(pid)
        print(f"idle for {SECONDS:.0f} s, without a model: {_names(pid)}")
        _idle(verdict, pid)
        _memory(verdict, "memory, no model", pid, MEMORY_BAR_MB)
        verdict.must("memory answers by meaning", _load_embedder(backend))
        print(f"with the embedder loaded: {_names(pid)}")
        verdict.must("the embedder is a process of its own", len(tree(pid)) > 1)
        _memory(verdict, "memory, embedder loaded", pid, EMBEDDER_BAR_MB)
    return verdict.close()


def _settle(pid: int) -> None:
    """Waits until the backend has no child left and has been still for a while."""
    deadline, before, still_since = time.monotonic() + SETTLE_S, cost(pid), time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - still_since < STILL_S:
        time.sleep(0.5)
        now = cost(pid)
        if len(tree(pid)) > 1 or now.cpu_s - before.cpu_s > 0.02:
            before, still_since = now, time.monotonic()


def _idle(verdict: Verdict, pid: int) -> None:
    before, started = cost(pid), time.monotonic()
    time.sleep(SECONDS)
    after, elapsed = cost(pid), time.monotonic() - started
    verdict.bar("idle, processor", 100 * (after.cpu_s - before.cpu_s) / elapsed, CPU_BAR, "% of a core")
    verdict.bar("idle, wake-ups", (after.wakeups - before.wakeups) / elapsed, WAKEUPS_BAR, "a second")


def _memory(verdict: Verdict, title: str, pid: int, most: float) -> None:
    pss, rss = memory_mb(pid)
    verdict.bar(title, pss, most, "MB")
    verdict.note(f"{title}, shared pages in full", rss, "MB")


def _load_embedder(backend: Backend) -> bool:
    """Searches until the answer comes by meaning, which only a loaded embedder gives."""
    said = {"external_id": "1", "occurred_at": "2026-01-05T09:00:00Z", "text": "The staging server is called Anemone."}
    backend.ask("POST", "/v1/memory/episodes", {"episodes": [said]})
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        found = backend.ask("POST", "/v1/memory/search", {"query": "what is the staging server called?"})
        if found["answered_by"] == "exact" and found["results"]:
            return True
        time.sleep(0.2)
    return False


def _names(pid: int) -> str:
    return ", ".join(name(one) or str(one) for one in tree(pid))


if __name__ == "__main__":
    sys.exit(main())
