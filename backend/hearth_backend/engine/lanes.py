"""Who waits, in which lane, and whose turn it is in a lane."""

import bisect
import itertools
from collections.abc import Iterator
from typing import Generic, Literal, TypeVar

Lane = Literal["inline", "chat", "ambient", "indexing"]
LANES: tuple[Lane, ...] = ("inline", "chat", "ambient", "indexing")
T = TypeVar("T")


def rank(lane: Lane) -> int:
    """0 for the lane that goes first."""
    return LANES.index(lane)


class Waiting(Generic[T]):
    """Tasks by lane: the keyboard first, then conversations, then the rest.

    In a lane owners take turns by what their tasks cost (start-time fair queueing): whoever asks for a hundred things
    waits behind somebody who asks for one. The tasks of one owner keep their order.
    """

    def __init__(self) -> None:
        self._lanes: dict[Lane, _Fair[T]] = {lane: _Fair() for lane in LANES}

    def __len__(self) -> int:
        return sum(len(lane.entries) for lane in self._lanes.values())

    def __iter__(self) -> Iterator[T]:
        """Every task, in the order in which they are served as things stand."""
        return (entry.task for lane in self._lanes.values() for entry in lane.entries)

    def add(self, id: int, lane: Lane, task: T, owner: str = "", cost: float = 1.0) -> None:
        """Put a task at the end of its owner's tasks in a lane."""
        self._lanes[lane].add(id, task, owner, cost)

    def again(self, id: int, lane: Lane, task: T) -> None:
        """Put a task back that had its turn already: it is the first of its lane."""
        self._lanes[lane].put_first(id, task)

    def drop(self, id: int) -> bool:
        """Take a task out; whether it was there."""
        return any(lane.take(id) for lane in self._lanes.values())

    def next(self) -> tuple[int, T] | None:
        """The task to do now, taken out; None when there is nothing to do."""
        for lane in self._lanes.values():
            if lane.entries:
                entry = lane.entries[0]
                lane.take(entry.id)
                return entry.id, entry.task
        return None


class _Entry(Generic[T]):
    __slots__ = ("id", "tag", "task")

    def __init__(self, tag: tuple[float, int], id: int, task: T) -> None:
        self.tag = tag
        self.id = id
        self.task = task


class _Fair(Generic[T]):
    """One lane, ordered by virtual starting times."""

    def __init__(self) -> None:
        self.entries: list[_Entry[T]] = []
        self._order = itertools.count()
        self._now = 0.0
        self._finish: dict[str, float] = {}

    def add(self, id: int, task: T, owner: str, cost: float) -> None:
        start = max(self._now, self._finish.get(owner, 0.0))
        self._finish[owner] = start + cost
        bisect.insort(self.entries, _Entry((start, next(self._order)), id, task), key=lambda entry: entry.tag)

    def put_first(self, id: int, task: T) -> None:
        tag = min((self.entries[0].tag if self.entries else (self._now, 0)), (self._now, 0))
        self.entries.insert(0, _Entry((tag[0], tag[1] - 1), id, task))

    def take(self, id: int) -> bool:
        for at, entry in enumerate(self.entries):
            if entry.id == id:
                del self.entries[at]
                if at == 0:
                    self._now = max(self._now, entry.tag[0])
                self._forget()
                return True
        return False

    def _forget(self) -> None:
        """An owner whose time has passed is as good as a new one."""
        if not self.entries:
            self._finish.clear()
        elif len(self._finish) > 256:
            self._finish = {owner: finish for owner, finish in self._finish.items() if finish > self._now}
