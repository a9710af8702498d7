"""What the language server costs: processor time of the whole process to the answer of `initialize`, and its memory.

`measure()` is for `make bench-doors`; BENCH_RUNS sets how often the server is started (default 10), the median counts.
The same is done with a bare Python and with lsprotocol as it comes, so that figures of different machines can be
compared.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.processes import memory_mb
from bench.verdict import Verdict

RUNS = int(os.environ.get("BENCH_RUNS", "10"))
CPU_BAR_MS, MEMORY_BAR_MB = 450.0, 60.0
SERVER = (sys.executable, "-I", "-m", "hearth_lsp")
WHOLE = (sys.executable, "-I", "-c", "from pygls.lsp.server import LanguageServer; LanguageServer('x', '1')")
# What VS Code says of itself, in the main; a server that takes all of it apart pays for it.
ABILITIES: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"], "markdown": {"parser": "marked", "version": "1.1.0"}},
    "window": {"workDoneProgress": True, "showDocument": {"support": True}, "showMessage": {"messageActionItem": {}}},
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}, "configuration": True},
    "textDocument": {
        "synchronization": {"didSave": True},
        "inlineCompletion": {"dynamicRegistration": True},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix", "refactor"]}}},
        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
    },
}


def measure() -> dict[str, float]:
    """Medians: milliseconds of processor time, and megabytes resident when `initialize` is answered."""
    first: list[tuple[float, float]] = []
    bare: list[float] = []
    whole: list[float] = []
    with tempfile.TemporaryDirectory() as home:
        for _ in range(RUNS):
            first.append(_initialized(home))
            bare.append(_cpu_ms((sys.executable, "-I", "-c", "pass")))
            whole.append(_cpu_ms(WHOLE))
    return {
        "lsp_initialize_cpu_ms": statistics.median(cpu for cpu, _ in first),
        "lsp_resident_mb": statistics.median(memory for _, memory in first),
        "bare_python_cpu_ms": statistics.median(bare),
        "pygls_as_it_comes_cpu_ms": statistics.median(whole),
    }


def main() -> int:
    verdict = Verdict("door-lsp")
    found = measure()
    verdict.note("bare Python", found["bare_python_cpu_ms"], "ms")
    verdict.note("pygls alone, as it comes", found["pygls_as_it_comes_cpu_ms"], "ms")
    verdict.bar("processor time to the answer of initialize", found["lsp_initialize_cpu_ms"], CPU_BAR_MS, "ms")
    verdict.bar("resident memory then", found["lsp_resident_mb"], MEMORY_BAR_MB, "MB")
    return verdict.close()


def _initialized(home: str) -> tuple[float, float]:
    """Processor time and memory of a server that has just answered, before anything else is asked of it."""
    environ = {**os.environ, "HEARTH_HOME": home}
    with subprocess.Popen(SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        _send(server.stdin, {"id": 1, "method": "initialize", "params": {"processId": None, "capabilities": ABILITIES}})
        length = 0
        while line := server.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name == b"Content-Length" else length
        assert json.loads(server.stdout.read(length))["result"]["capabilities"]
        cpu, memory = _scheduled_ms(server.pid), memory_mb(server.pid)[1]
        _send(server.stdin, {"method": "exit"})
    return cpu, memory


def _send(pipe: Any, message: dict[str, Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    pipe.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    pipe.flush()


def _scheduled_ms(pid: int) -> float:
    """Time on a processor of all its threads, which the scheduler counts in nanoseconds."""
    files = Path("/proc", str(pid), "task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e6


def _cpu_ms(command: Sequence[str]) -> float:
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    return (used.ru_utime + used.ru_stime) * 1000


if __name__ == "__main__":
    sys.exit(main())
