"""What ranking needs of a space, held in memory while it is searched: SQLite stays the truth.

A shelf is filled at a space's first search, follows every change by row, and is dropped when memory rests. Exact
dot products over its float32 rows are faster than an approximate index up to some 20,000 turns, and never wrong.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearth_backend.memory.text import Names, is_question, length, tells_when

_ROOM = 64
_SPARSE = 32  # row numbers for each row, above which no table is kept
_MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One episode as a shelf takes it; a vector is None until the outbox has been drained."""

    rowid: int
    session: str
    speaker: str
    source: str
    occurred_at: float
    text: str
    vector: bytes | None
    window_vector: bytes | None


class Shelf:
    """One space. Not thread-safe: hold `lock`.

    The windows' vectors of a `large` one are kept at half precision: they are looked at for a few thousand likely
    turns alone, whose cosines that changes in the fourth digit.
    """

    def __init__(self, dim: int, *, large: bool = False) -> None:
        self.lock = threading.Lock()
        self.pending: deque[int] = deque()  # rows to read again; appended by the event loop, without the lock
        self.filled = False
        self.size = 0
        self.large = large
        self._slots: dict[int, int] = {}
        self._codes: dict[tuple[str, str], int] = {}
        self._rows = _Rows(dim, large)
        self._order: NDArray[np.intp] | None = None
        self._by_row: _ByRow | None = None
        self._window_lengths: NDArray[np.int32] | None = None
        self._beside: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None
        self._sessions: NDArray[np.int64] | None = None
        self._names: Names | None = None

    def changed(self) -> list[int]:
        """Takes what is pending, each row once."""
        taken: set[int] = set()
        while self.pending:
            taken.add(self.pending.popleft())
        return sorted(taken)

    def put(self, turns: Iterable[Turn]) -> None:
        """Add turns, or replace what is known of them."""
        for turn in turns:
            slot = self._slots.get(turn.rowid)
            if slot is None:
                slot = self._slots[turn.rowid] = self.size
                self.size += 1
                self._rows.make_room(self.size)
            self._rows.write(slot, turn, *(self._code(kind, getattr(turn, kind)) for kind in _KINDS))
        self._forget_views()

    def drop(self, rowids: Iterable[int]) -> None:
        """Take turns out; the last one moves into each gap."""
        for rowid in rowids:
            slot = self._slots.pop(rowid, None)
            if slot is None:
                continue
            self.size -= 1
            if slot != self.size:
                self._rows.move(self.size, slot)
                self._slots[int(self._rows.rowids[slot])] = slot
        self._forget_views()

    def places(self, rowids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.intp]:
        """Where each row stands; -1 for one that is not here (yet)."""
        if self._by_row is None:
            self._by_row = _ByRow(self.rowids)
        return self._by_row.places(np.asarray(rowids, np.int64))

    @property
    def rowids(self) -> NDArray[np.int64]:
        return self._rows.rowids[: self.size]

    @property
    def occurred(self) -> NDArray[np.float64]:
        return self._rows.occurred[: self.size]

    @property
    def questions(self) -> NDArray[np.bool_]:
        return self._rows.questions[: self.size]

    @property
    def timed(self) -> NDArray[np.bool_]:
        return self._rows.timed[: self.size]

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Of the texts, in words."""
        return self._rows.lengths[: self.size]

    @property
    def window_lengths(self) -> NDArray[np.int32]:
        """Of each turn's text with those beside it."""
        if self._window_lengths is None:
            around = self.lengths.copy()
            for near in self.beside():
                around += np.where(near >= 0, self.lengths[near], 0)
            self._window_lengths = around
        return self._window_lengths

    @property
    def embedded(self) -> NDArray[np.bool_]:
        return self._rows.embedded[: self.size]

    @property
    def has_vectors(self) -> bool:
        return bool(self._rows.embedded[: self.size].any())

    @property
    def bytes(self) -> int:
        return self._rows.bytes

    @property
    def names(self) -> Names:
        """The speakers, as a question may name them."""
        if self._names is None:
            spoken = np.unique(self._rows.codes[: self.size, _SPEAKER])
            known = {code: text for (kind, text), code in self._codes.items() if kind == "speaker"}
            self._names = Names(tuple(known[int(code)] for code in spoken))
        return self._names

    def said_by(self, speaker: str) -> NDArray[np.bool_]:
        return self._rows.codes[: self.size, _SPEAKER] == self._codes.get(("speaker", speaker), -1)

    def from_sources(self, sources: Iterable[str]) -> NDArray[np.bool_]:
        codes = [self._codes.get(("source", source), -1) for source in sources]
        return np.isin(self._rows.codes[: self.size, _SOURCE], codes)

    def order(self) -> NDArray[np.intp]:
        """Turns session by session, as they were said."""
        if self._order is None:
            self._order = np.lexsort((self.rowids, self.occurred, self.sessions()))
        return self._order

    def sessions(self) -> NDArray[np.int64]:
        """A number for each session; a turn without one is a session of its own."""
        if self._sessions is None:
            codes = self._rows.codes[: self.size, _SESSION].astype(np.int64)
            alone = codes == self._codes.get(("session", ""), -1)
            codes[alone] = len(self._codes) + np.arange(np.count_nonzero(alone))
            self._sessions = np.unique(codes, return_inverse=True)[1].astype(np.int64)
        return self._sessions

    def beside(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The places of the turns before and after each one in its session; -1 where there is none."""
        if self._beside is None:
            order, sessions = self.order(), self.sessions()
            same = sessions[order][1:] == sessions[order][:-1]
            before, after = np.full(self.size, -1, np.intp), np.full(self.size, -1, np.intp)
            before[order[1:][same]] = order[:-1][same]
            after[order[:-1][same]] = order[1:][same]
            self._beside = before, after
        return self._beside

    def cosines(self, query: NDArray[np.float32]) -> NDArray[np.float64]:
        """Of the turns' own text; NaN where there is no vector yet."""
        # row by row on this thread: OpenBLAS would wake its spinning threads, 40 times slower on a busy machine
        cosines = np.vecdot(self._rows.vectors[: self.size], query).astype(np.float64)
        cosines[~self._rows.embedded[: self.size]] = np.nan
        return cosines

    def cosines_at(self, query: NDArray[np.float32], places: NDArray[np.intp]) -> NDArray[np.float64]:
        """Of the turns at these places, which must be embedded."""
        return np.vecdot(self._rows.vectors[places], query).astype(np.float64)

    def versions(self, places: NDArray[np.intp]) -> NDArray[np.uint64]:
        """The first eight bytes of each vector, as a number; the index knows vectors by them."""
        return np.ascontiguousarray(self._rows.vectors[places, :2]).view(">u8")[:, 0].astype(np.uint64)

    def window_cosines(self, query: NDArray[np.float32], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Of the chosen turns with their neighbours; NaN for the others, and where there is no vector yet."""
        cosines = np.full(self.size, np.nan)
        there = np.flatnonzero(chosen & self._rows.embedded[: self.size])
        rows = self._rows.windows[: self.size] if len(there) == self.size else self._rows.windows[there]
        cosines[there] = np.vecdot(rows.astype(np.float32, copy=False), query)
        return cosines

    def _code(self, kind: str, text: str) -> int:
        return self._codes.setdefault((kind, text), len(self._codes))

    def _forget_views(self) -> None:
        self._order = self._by_row = self._sessions = self._names = None
        self._beside = self._window_lengths = None


_KINDS = ("session", "speaker", "source")
_SESSION, _SPEAKER, _SOURCE = range(3)


class _ByRow:
    """From row numbers to places. Rows of one database lie close together: a table then answers without a search."""

    def __init__(self, rowids: NDArray[np.int64]) -> None:
        last = int(rowids.max(initial=0))
        self._rowids = rowids
        self._order = self._table = np.zeros(0, np.intp)
        if last < _SPARSE * (len(rowids) + _ROOM):
            self._table = np.full(last + 2, -1, np.intp)  # the last entry is for all that are higher
            self._table[rowids] = np.arange(len(rowids))
        else:
            self._order = np.argsort(rowids, kind="stable")

    def places(self, wanted: NDArray[np.int64]) -> NDArray[np.intp]:
        """-1 for a row that is not there."""
        if len(self._table):
            return self._table[np.clip(wanted, -1, len(self._table) - 1)]
        at = np.minimum(np.searchsorted(self._rowids, wanted, sorter=self._order), len(self._rowids) - 1)
        found = self._order[at]
        return np.where(self._rowids[found] == wanted, found, -1)


class _Rows:
    """The columns of a shelf, with room to grow."""

    def __init__(self, dim: int, large: bool) -> None:
        self._dim = dim
        self.rowids = np.zeros(_ROOM, np.int64)
        self.occurred = np.zeros(_ROOM, np.float64)
        self.codes = np.zeros((_ROOM, len(_KINDS)), np.int32)
        self.questions = np.zeros(_ROOM, np.bool_)
        self.timed = np.zeros(_ROOM, np.bool_)
        self.embedded = np.zeros(_ROOM, np.bool_)
        self.lengths = np.zeros(_ROOM, np.int32)
        self.vectors = np.zeros((_ROOM, dim), np.float32)
        self.windows = np.zeros((_ROOM, dim), np.float16 if large else np.float32)

    @property
    def bytes(self) -> int:
        return self.vectors.nbytes + self.windows.nbytes

    def make_room(self, size: int) -> None:
        if size <= len(self.rowids):
            return
        room = max(size, len(self.rowids) * 3 // 2)
        for name in _COLUMNS:
            old = getattr(self, name)
            new = np.zeros((room, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def write(self, slot: int, turn: Turn, *codes: int) -> None:
        self.rowids[slot], self.occurred[slot], self.codes[slot] = turn.rowid, turn.occurred_at, codes
        self.questions[slot], self.timed[slot] = is_question(turn.text), tells_when(turn.text)
        self.lengths[slot] = length(turn.text)
        vectors = [None if raw is None else np.frombuffer(raw, np.float32) for raw in (turn.vector, turn.window_vector)]
        fitting = [vector for vector in vectors if vector is not None and len(vector) == self._dim]
        self.embedded[slot] = len(fitting) == len(vectors)
        if self.embedded[slot]:
            self.vectors[slot], self.windows[slot] = fitting

    def move(self, source: int, target: int) -> None:
        for name in _COLUMNS:
            column = getattr(self, name)
            column[target] = column[source]


_COLUMNS = ("rowids", "occurred", "codes", "questions", "timed", "embedded", "lengths", "vectors", "windows")


class Shelves:
    """The spaces searched lately, least recently used first out. `mark` may be called from the event loop."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._shelves: OrderedDict[str, Shelf] = OrderedDict()

    def get(self, space: str, make: Callable[[], Shelf]) -> Shelf:
        """The shelf of a space; `make` builds an empty one."""
        with self._lock:
            shelf = self._shelves.get(space)
            if shelf is None:
                shelf = self._shelves[space] = make()
            self._shelves.move_to_end(space)
            return shelf

    def mark(self, space: str, rowids: Iterable[int]) -> None:
        """These rows changed: they are read again before the next search."""
        shelf = self._shelves.get(space)
        if shelf is not None:
            shelf.pending.extend(rowids)

    def discard(self, space: str) -> None:
        """Let the next search fill it anew."""
        with self._lock:
            self._shelves.pop(space, None)

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._shelves.clear()

    def trim(self) -> None:
        """Keep to the bound; the space in use stays, whatever its size."""
        with self._lock:
            while len(self._shelves) > 1 and sum(shelf.bytes for shelf in self._shelves.values()) > self._most_bytes:
                self._shelves.popitem(last=False)
