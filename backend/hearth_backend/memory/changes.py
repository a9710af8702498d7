"""Rows that came or went, told to those who hold something of them: shelves, outbox, index."""

from collections.abc import Sequence

from hearth_backend.memory.index import Index
from hearth_backend.memory.outbox import Outbox
from hearth_backend.memory.shelf import Shelves
from hearth_backend.storage.driver import Row


class Changes:
    """Called on the event loop, in commit order."""

    def __init__(self, shelves: Shelves, outbox: Outbox, index: Index | None = None) -> None:
        self._shelves = shelves
        self._outbox = outbox
        self._index = index

    def stored(self, space: str, touched: Sequence[int]) -> None:
        """Rows are there, or changed."""
        if touched:
            self._shelves.mark(space, touched)
            self._outbox.wake()

    def removed(self, rows: Sequence[Row], touched: Sequence[int]) -> None:
        """Rows are gone, and neighbours of theirs changed."""
        for space in {row["space"] for row in rows}:
            self._shelves.mark(space, [*(row["rowid"] for row in rows), *touched])
        self._outbox.wake(forgotten=True)
        if self._index is not None:
            self._index.wake()
