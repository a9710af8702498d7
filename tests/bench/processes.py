"""What processes cost, read from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process and its children have used up to now."""

    cpu_s: float
    wakeups: int


def tree(pid: int) -> list[int]:
    """The process and everything it started that still lives."""
    found = [pid]
    for parent in found:
        for task in Path("/proc", str(parent), "task").glob("*/children"):
            found += [int(child) for child in _read(task).split()]
    return found


def cpu_s(pid: int) -> float:
    """Seconds of processor time of one process, with those of the children it has buried."""
    fields = _read(Path("/proc", str(pid), "stat")).rpartition(")")[2].split()  # from the third field on
    return sum(int(field) for field in fields[11:15]) * _TICK_S


def cost(pid: int) -> Cost:
    """Of the whole tree. A wake-up is a thread that had given the processor away and came back."""
    pids = tree(pid)
    statuses = [_read(status) for one in pids for status in Path("/proc", str(one), "task").glob("*/status")]
    return Cost(sum(map(cpu_s, pids)), sum(_number(status, "voluntary_ctxt_switches:") for status in statuses))


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident megabytes of the whole tree: shared pages divided among those who share them, and counted in full."""
    rollups = [_read(Path("/proc", str(one), "smaps_rollup")) for one in tree(pid)]
    pss, rss = (sum(_number(rollup, label) for rollup in rollups) * 1024 / 1e6 for label in ("Pss:", "Rss:"))
    return pss, rss


def name(pid: int) -> str:
    """What a process was started as, without the path of its interpreter."""
    return " ".join(part for part in _read(Path("/proc", str(pid), "cmdline")).split("\0")[1:] if part != "-I").strip()


def _number(text: str, label: str) -> int:
    for line in text.splitlines():
        if line.startswith(label):
            return int(line.removeprefix(label).split()[0])
    return 0


def _read(path: Path) -> str:
    """Empty when the process has gone."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
