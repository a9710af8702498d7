"""Who is served next. Pure: the child's loop asks it, and batching will replace it without moving a wall."""

from collections import deque
from typing import Generic, TypeVar

from hearth_backend.engine.frames import Lane

LANES: tuple[Lane, ...] = ("inline", "chat", "ambient", "indexing")
T = TypeVar("T")


class Waiting(Generic[T]):
    """Tasks by lane: the keyboard first, then conversations, then the rest; in a lane, first come, first served."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, deque[tuple[int, T]]] = {lane: deque() for lane in LANES}

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def add(self, id: int, lane: Lane, task: T) -> None:
        """Put a task at the end of its lane."""
        self._lanes[lane].append((id, task))

    def drop(self, id: int) -> bool:
        """Take a task out; whether it was there."""
        for lane in self._lanes.values():
            for entry in lane:
                if entry[0] == id:
                    lane.remove(entry)
                    return True
        return False

    def next(self) -> tuple[int, T] | None:
        """The task to do now, taken out; None when there is nothing to do."""
        for lane in self._lanes.values():
            if lane:
                return lane.popleft()
        return None
