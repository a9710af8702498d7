"""Whether the index over memories names what exact search finds."""

from typing import Protocol

from hearth_shared.protocol.status import Check

_LEAST = 0.95
REINDEX = "`hearth memory reindex` makes it anew; search is exact meanwhile."


class How(Protocol):
    """How an index is."""

    @property
    def state(self) -> str: ...

    @property
    def detail(self) -> str: ...


class Examined(Protocol):
    """An index that can be asked how it is, and compared with exact search."""

    @property
    def progress(self) -> How: ...

    async def examine(self) -> tuple[int, float] | None: ...


async def index(examined: Examined) -> Check:
    """Ask it for the neighbours of stored vectors and compare; one that does not run is not started for that."""
    found = await examined.examine()
    how = examined.progress
    if found is None:
        state = "warn" if how.state == "unwell" else "ok"
        return Check(name="index", state=state, detail=how.detail, fix=REINDEX if state == "warn" else "")
    count, agreement = found
    detail = f"Of the nearest of 50 stored vectors it names {agreement:.0%}; it holds {count} vectors."
    if agreement < _LEAST:
        return Check(name="index", state="warn", detail=detail, fix=REINDEX)
    return Check(name="index", state="ok", detail=detail)
