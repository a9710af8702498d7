"""How many threads llama.cpp may use here."""

import os
import time
from collections.abc import Callable
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_STAT = Path("/proc/stat")
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_LOOK_S = 1.0


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


class Spare:
    """How many threads may read a prompt now: fewer while other programs keep cores busy.

    It looks at most once a second, and not at all while it is not asked.
    """

    def __init__(
        self,
        least: int,
        most: int,
        stat: Path = _STAT,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.process_time,
    ) -> None:
        self._least = least
        self._most = most
        self._stat = stat
        self._clock = clock
        self._used = used
        self._threads = most
        self._seen = (clock(), self._idle(), used())

    def threads(self) -> int:
        """From `least` to `most`: the cores that were idle since the last look, and those we used ourselves."""
        at, idle, own = self._seen
        now = self._clock()
        if self._most > self._least and now - at >= _LOOK_S:
            self._seen = (now, self._idle(), self._used())
            free = (self._seen[1] - idle + self._seen[2] - own) / (now - at)
            self._threads = max(self._least, min(self._most, int(free + 0.5)))
        return self._threads if self._seen[1] else self._most

    def _idle(self) -> float:
        """Seconds that cores were idle since the machine started; 0 where the system does not say."""
        fields = _text(self._stat).partition("\n")[0].split()
        return int(fields[4]) / _TICKS if len(fields) > 4 and fields[0] == "cpu" else 0.0


def _share(quota: Path) -> int:
    """A container's share of the processor in whole cores; 0 when it is not limited."""
    limit, _, period = _text(quota).partition(" ")
    return max(1, int(limit) // int(period)) if limit.isdigit() and period.isdigit() else 0


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return ""
