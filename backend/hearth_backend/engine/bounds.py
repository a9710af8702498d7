"""Bounds on what a foreign program (a template, a schema) may take of this process."""

import contextlib
import resource
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from types import FrameType

_STATM = Path("/proc/self/statm")


class Exceeded(Exception):
    """What it took too much of, as the end of a sentence."""


@contextlib.contextmanager
def bounded(seconds: float = 5.0, memory: int = 1 << 30) -> Generator[None]:
    """Raise Exceeded when the block runs longer, or asks for more memory. For the main thread of a child only."""
    old_limit = resource.getrlimit(resource.RLIMIT_AS)
    old_handler = signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        if size := _size():
            resource.setrlimit(resource.RLIMIT_AS, (_lower(size + memory, old_limit[1]), old_limit[1]))
        yield
    except MemoryError:
        raise Exceeded("takes more memory than it may") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old_handler)
        resource.setrlimit(resource.RLIMIT_AS, old_limit)


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise Exceeded("does not come to an end")


def _size() -> int:
    """Address space of this process in bytes; 0 where the system does not say."""
    if sys.platform != "linux":
        return 0
    return int(_STATM.read_text("ascii").split()[0]) * resource.getpagesize()


def _lower(limit: int, hard: int) -> int:
    return limit if hard == resource.RLIM_INFINITY else min(limit, hard)
