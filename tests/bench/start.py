"""`make bench-start`: what starting costs, in processor time, which does not depend on what else the machine does.

BENCH_RUNS sets how often each thing is started (default 10); the median counts.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.backend import new_home, running
from bench.processes import cpu_s
from bench.verdict import Verdict
from hearth_shared.paths import Home

RUNS = int(os.environ.get("BENCH_RUNS", "10"))
IMPORTS = "import hearth_shared.wire, hearth_shared.discovery, hearth_shared.paths"
HEARTH = Path(sys.executable).with_name("hearth")
QUESTION = "what can you do?"
IMPORT_BAR_MS, ASK_BAR_MS, READY_BAR_S = 40.0, 150.0, 1.5


def main() -> int:
    verdict = Verdict("start")
    _imports(verdict)
    with new_home() as home:
        _ready(verdict, home)
        _ask(verdict, home)
    return verdict.close()


def _imports(verdict: Verdict) -> None:
    """Alternating, so that whatever slows the machine slows both."""
    bare: list[float] = []
    ours: list[float] = []
    for _ in range(RUNS):
        bare.append(child_cpu_ms((sys.executable, "-I", "-c", "pass")))
        ours.append(child_cpu_ms((sys.executable, "-I", "-c", IMPORTS)))
    verdict.note("bare Python", statistics.median(bare), "ms")
    over = statistics.median(ours) - statistics.median(bare)
    verdict.bar("wire, discovery and paths, over bare Python", over, IMPORT_BAR_MS, "ms")


def _ready(verdict: Verdict, home: Home) -> None:
    """The first start makes the databases; the others find them."""
    spent: list[float] = []
    for _ in range(1 + max(RUNS // 3, 3)):
        with running(home) as backend:
            spent.append(cpu_s(backend.endpoint.pid))
    verdict.bar("backend ready, first start", spent[0], READY_BAR_S, "s")
    verdict.bar("backend ready, later starts", statistics.median(spent[1:]), READY_BAR_S, "s")


def _ask(verdict: Verdict, home: Home) -> None:
    with running(home):
        environ = {**os.environ, "HEARTH_HOME": str(home.root)}
        spent = [child_cpu_ms((str(HEARTH), "ask", QUESTION), environ) for _ in range(RUNS)]
    verdict.bar("hearth ask, backend running", statistics.median(spent), ASK_BAR_MS, "ms")


def child_cpu_ms(command: Sequence[str], environ: Mapping[str, str] | None = None) -> float:
    """Processor time of one child, user and system."""
    child = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    return (used.ru_utime + used.ru_stime) * 1000


if __name__ == "__main__":
    sys.exit(main())
