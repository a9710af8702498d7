"""How many threads llama.cpp may use here."""

import os
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def physical_cores(cpus: Path = _CPUS, quota: Path = _QUOTA) -> int:
    """Cores this process may run on: siblings counted once, not more than a container's share."""
    try:
        mine = os.sched_getaffinity(0)
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
    siblings = {_text(cpus / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu) for cpu in mine}
    return max(1, min(len(siblings), _share(quota) or len(siblings)))


def threads(cores: int, wanted: int = 0) -> tuple[int, int]:
    """(while writing, while reading a prompt).

    One core is left free while writing: OpenMP's barriers collapse when a core of theirs is busy with other work,
    while reading is bound by arithmetic and takes all there are.
    """
    writing = wanted or max(1, cores - 1)
    return writing, max(writing, cores)


def _share(quota: Path) -> int:
    """A container's share of the processor in whole cores; 0 when it is not limited."""
    limit, _, period = _text(quota).partition(" ")
    return max(1, int(limit) // int(period)) if limit.isdigit() and period.isdigit() else 0


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return ""
