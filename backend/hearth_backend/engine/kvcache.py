"""What the context holds: one seat for each sequence of tokens, and how a prompt finds the beginning it shares."""

import itertools
from collections.abc import Sequence as Tokens
from typing import Literal, NamedTuple, Protocol

Decoded = Literal["done", "full", "aborted"]


class Fault(Exception):
    """The context could not do what it was asked; nothing of the batch is known to it."""


class Chunk(NamedTuple):
    """Tokens of one sequence, from position `start` on; `output`: the last of them will be sampled from."""

    seat: int
    start: int
    tokens: Tokens[int]
    output: bool = True


class Cells(Protocol):
    """The part of a native context this needs. All sequences share its `capacity` of cells."""

    @property
    def size(self) -> int:
        """The longest sequence."""
        ...

    @property
    def capacity(self) -> int: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def shares(self) -> bool:
        """Whether a beginning can be copied from one sequence to another."""
        ...

    def decode(self, chunks: Tokens[Chunk]) -> Decoded:
        """Read the chunks in one batch. Raises Fault."""
        ...

    def forget(self, seat: int, start: int) -> bool:
        """Forget a sequence from `start` on; False when this kind of model can only forget all of it."""
        ...

    def copy(self, source: int, target: int, length: int) -> None: ...


class Seat:
    """One sequence: `tokens` is exactly what the context holds of it, whatever happened."""

    __slots__ = ("aligned", "id", "passing", "taken", "tokens", "used")

    def __init__(self, id: int) -> None:
        self.id = id
        self.tokens: list[int] = []
        self.aligned = 0  # tokens at its beginning that were read in whole batches of their own
        self.taken = False
        self.passing = False  # what it holds is forgotten once nobody sits on it
        self.used = 0


class Seats:
    """All sequences of a context; those nobody sits on keep what they read until the room is needed."""

    def __init__(self, cells: Cells, count: int) -> None:
        self._cells = cells
        self._seats = [Seat(id) for id in range(count)]
        self._turn = itertools.count(1)

    @property
    def free(self) -> int:
        """How many seats nobody sits on."""
        return sum(not seat.taken for seat in self._seats)

    def longest(self, prompt: Tokens[int], besides: Seat) -> int:
        """How much of a prompt's beginning some other sequence holds."""
        return max((common(seat.tokens, prompt) for seat in self._seats if seat is not besides), default=0)

    def take(self, prompt: Tokens[int], *, exact: bool = False) -> Seat:
        """A free seat that holds as much of the prompt as is known, less its last token: that is read again.

        The same token computed in another batch differs in its last bits. `exact` keeps only what was read in whole
        batches of its own, so that the same seed gives the same text.
        """
        donor, kept = self._donor(prompt, exact)
        seat = self._place(donor, kept)
        if seat is donor:
            self.cut(seat, kept)
        else:
            self.cut(seat, 0)
            if kept and donor is not None:
                self._cells.copy(donor.id, seat.id, kept)
                seat.tokens, seat.aligned = list(prompt[:kept]), min(donor.aligned, kept)
        seat.taken = True
        return seat

    def leave(self, seat: Seat) -> None:
        """Nobody goes on with this sequence now; what it holds stays for the next prompt."""
        seat.taken = False
        seat.used = next(self._turn)
        if seat.passing:
            seat.passing = False
            self.cut(seat, 0)

    def cut(self, seat: Seat, length: int) -> None:
        """Forget all after `length` tokens, also what a broken batch may have left behind."""
        if length and not self._cells.forget(seat.id, length):
            length = 0
        if length == 0:
            self._cells.forget(seat.id, 0)
        del seat.tokens[length:]
        seat.aligned = min(seat.aligned, self._whole(length))

    def evict(self) -> bool:
        """Empty the free seat that was left longest ago; whether there was one."""
        idle = [seat for seat in self._seats if not seat.taken and seat.tokens]
        if not idle:
            return False
        self.cut(min(idle, key=lambda seat: seat.used), 0)
        return True

    def forget(self) -> None:
        """Forget all: at once what nobody needs, the rest when it is left; none of it is the beginning of another."""
        while self.evict():
            pass
        for seat in self._seats:
            seat.passing = seat.taken

    def _donor(self, prompt: Tokens[int], exact: bool) -> tuple[Seat | None, int]:
        best, most = None, 0
        for seat in self._seats:
            if seat.passing or (seat.taken and not self._cells.shares):
                continue
            length = min(common(seat.tokens, prompt), len(prompt) - 1)
            if exact:
                length = self._whole(min(length, seat.aligned))
            if length > most or (length == most and length and not seat.taken):
                best, most = seat, length
        return best, most

    def _place(self, donor: Seat | None, kept: int) -> Seat:
        """The donor's own seat, unless more of another conversation would be lost than is gained."""
        free = [seat for seat in self._seats if not seat.taken]
        if donor is not None and not donor.taken:
            if 2 * kept >= len(donor.tokens) or len(free) == 1 or not self._cells.shares:
                return donor
            free.remove(donor)
        return min(free, key=lambda seat: (bool(seat.tokens), seat.used))

    def _whole(self, length: int) -> int:
        return length // self._cells.batch_size * self._cells.batch_size


def common(one: Tokens[int], other: Tokens[int]) -> int:
    """Length of the longest common beginning; compares whole slices, so that a long prompt costs no loop."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low
