"""How much memory this machine has to give now."""

import os
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def memory_here(meminfo: Path = _MEMINFO, group: Path = _GROUP) -> tuple[int, int]:
    """(free, total) bytes; a container's limit counts. What only caches files is free."""
    known = _known(meminfo)
    total = known.get("MemTotal") or _physical()
    free = known.get("MemAvailable", total)
    limit, used = _number(group / "memory.max"), _number(group / "memory.current")
    if limit is not None and used is not None and limit < total:
        return min(free, max(0, limit - used + _cached(group))), limit
    return free, total


def _known(meminfo: Path) -> dict[str, int]:
    try:
        lines = meminfo.read_text("ascii").splitlines()
    except OSError:
        return {}
    rows = (line.split() for line in lines)
    return {row[0].rstrip(":"): int(row[1]) * 1024 for row in rows if len(row) > 1 and row[1].isdigit()}


def _physical() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0


def _number(path: Path) -> int | None:
    try:
        text = path.read_text("ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _cached(group: Path) -> int:
    """Of the container's used memory, what only caches files."""
    try:
        rows = (line.split() for line in (group / "memory.stat").read_text("ascii").splitlines())
        return sum(int(row[1]) for row in rows if row[0] in ("inactive_file", "active_file"))
    except (OSError, ValueError, IndexError):
        return 0
