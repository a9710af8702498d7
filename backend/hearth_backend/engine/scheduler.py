"""Who is served next, and in which batch. Pure: it knows sequences, rows and lanes, and nothing of llama.cpp.

Every step takes the rows of the highest lane that has work (inline, chat, ambient, indexing): a row for each request
that writes, and chunks of the prompts that are still read. Lower lanes wait, unless their rows ride along for nothing.
"""

import itertools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hearth_backend.engine.kvcache import Cells, Chunk, Fault, Seat, Seats, common
from hearth_backend.engine.lanes import Lane, Waiting, rank
from hearth_backend.engine.stepcost import FLAT, StepCost
from hearth_shared.errors import Cancelled, DeadlineExceeded, HearthError, ModelFailed

log = logging.getLogger(__name__)
_RESERVED = 1  # seats that only inline requests may take
_HEADROOM = 64  # tokens of an answer that are reckoned with when a request is let in
_WORTH_WAITING = 32  # tokens of a prompt that are better waited for than read twice
_LEAST_STRIDE = 32
_CHUNK = 128  # tokens of a prompt in one step beside those who write, where its price is not known
_PAUSE_S = 0.25  # how long a chunk of a prompt may hold up those who write


class Voice(Protocol):
    """What a request says. Exactly one of these ends it: `choose` giving None, `fail`, or `drop`."""

    def begin(self, cached: int) -> None:
        """Its prompt is being read; `cached` tokens of it were known."""
        ...

    def choose(self, row: int) -> int | None:
        """The next token from the output of a row of the batch; None when all is said. May raise HearthError."""
        ...

    def fail(self, error: HearthError) -> None:
        """It ends with an error."""
        ...

    def drop(self) -> None:
        """Nobody listens any more."""
        ...


class Beginnings(Protocol):
    """Where beginnings that many prompts have are kept beyond the context."""

    def restore(self, seat: Seat, tokens: Sequence[int]) -> bool:
        """Put a beginning into an empty seat; whether it was kept."""
        ...

    def wanted(self, tokens: Sequence[int]) -> bool:
        """Whether this beginning is worth keeping and not kept yet."""
        ...

    def keep(self, seat: Seat) -> None:
        """Keep what a seat holds."""
        ...


@dataclass(slots=True, eq=False)
class Job:
    """One request. `exact`: computed in batches of its own; `document`: a newer one of it ends this one; the first
    `beginning` tokens of its prompt are those of other prompts too (system prompt and tools)."""

    id: int
    lane: Lane
    prompt: list[int]
    voice: Voice
    owner: str = ""
    document: str = ""
    deadline: float | None = None
    exact: bool = False
    beginning: int = 0
    seat: Seat | None = None
    chosen: int | None = None  # a token that was sampled and is not yet in the context
    stride: int = 0  # the longest chunk of its prompt, once one was aborted
    begun: bool = False
    passing: bool = False  # what it reads is forgotten when it ends

    @property
    def reads(self) -> bool:
        """Whether its prompt is still being read."""
        return self.chosen is None

    def supersedes(self, other: "Job") -> bool:
        """Whether this is a newer keystroke in the same document."""
        return bool(self.document) and (self.owner, self.document) == (other.owner, other.document)


class _Turn(NamedTuple):
    """A job's part of a batch."""

    job: Job
    chunk: Chunk


class Scheduler:
    """The jobs that wait and those that have a seat. One thread calls it; only `doing` may be read by others."""

    def __init__(
        self,
        cells: Cells,
        seats: int,
        cost: StepCost = FLAT,
        *,
        clock: Callable[[], float] = time.monotonic,
        before_batch: Callable[[], object] = lambda: None,
        beginnings: Beginnings | None = None,
    ) -> None:
        self._cells = cells
        self._seats = Seats(cells, seats)
        self._cost = cost
        self._clock = clock
        self._before_batch = before_batch
        self._beginnings = beginnings
        self._waiting: Waiting[Job] = Waiting()
        self._active: list[Job] = []
        self._crowded_out: set[Job] = set()  # those who lost their seat for want of room since anybody last ended
        self.doing: Sequence[Job] = ()
        self.held = False

    def busy(self, *, held: bool = False) -> bool:
        """Whether a step would do anything; held, only what is typed counts."""
        if held:
            return any(job.lane == "inline" for job in (*self._active, *self._waiting))
        return bool(self._active or len(self._waiting))

    @property
    def writes(self) -> bool:
        """Whether the next step writes a token for everybody there is, and reads no prompt."""
        if not self._active or len(self._waiting):
            return False
        return all(job.chosen is not None for job in self._active)

    def add(self, job: Job) -> None:
        """Put a job into its lane; an older one of the same document ends."""
        for older in [other for other in (*self._active, *self._waiting) if job.supersedes(other)]:
            self._end(older, Cancelled("A newer keystroke took this completion's place."))
        self._waiting.add(job.id, job.lane, job, job.owner, len(job.prompt) + _HEADROOM)

    def cancel(self, id: int) -> None:
        """Let a job go; one that is unknown has ended already."""
        for job in [job for job in (*self._active, *self._waiting) if job.id == id]:
            self._leave(job)
            job.voice.drop()

    def stop(self, error: HearthError) -> None:
        """End every job with an error."""
        for job in [*self._active, *self._waiting]:
            self._end(job, error)

    def forget(self) -> None:
        """Keep nothing of what was read so far; who is being answered goes on."""
        self._seats.forget()
        for job in (*self._active, *self._waiting):
            job.beginning, job.passing = 0, True

    def step(self) -> None:
        """Let in whom there is room for, and compute one batch (or the few it is cheapest in)."""
        alone = self._alone()
        if alone is not None:
            self._compute([_row(alone)])
        else:
            self._expire()
            self._admit()
            for batch in self._batches():
                if not self._compute(batch):
                    break
        self.doing = ()

    def _alone(self) -> Job | None:
        """The one who writes while nobody else is there, which is most of all steps: there is nothing to weigh."""
        if len(self._active) != 1 or self.held or len(self._waiting):
            return None
        job = self._active[0]
        return None if job.reads or job.deadline is not None else job

    # -- who is let in

    def _expire(self) -> None:
        now = self._clock()
        for job in [*self._active, *self._waiting]:
            if job.deadline is not None and job.deadline <= now:
                self._end(
                    job, DeadlineExceeded("The model did not answer in the time it had.", "Ask for less, or wait.")
                )

    def _admit(self) -> None:
        full = False
        for job in list(self._waiting):
            if self._seats.free <= (0 if job.lane == "inline" else _RESERVED):
                return  # those behind it are of its lane or a lower one
            full = full or not self._has_room(job)
            if full or self._another_reads_it(job):
                continue
            self._waiting.drop(job.id)
            job.seat = self._seats.take(job.prompt, exact=job.exact)
            job.seat.passing = job.passing
            self._active.append(job)
            self._restore(job, job.seat)
            if not job.begun:
                job.begun = True
                job.voice.begin(len(job.seat.tokens))

    def _restore(self, job: Job, seat: Seat) -> None:
        """Bring back the beginning of a prompt, or mark it to be kept once it was read."""
        tokens = job.prompt[: job.beginning]
        if self._beginnings is None or job.exact or len(seat.tokens) >= len(tokens):
            job.beginning = 0
            return
        if not self._beginnings.wanted(tokens):
            job.beginning = 0
            held = len(seat.tokens)
            self._seats.cut(seat, 0)
            if self._beginnings.restore(seat, tokens):
                seat.tokens = tokens
            elif held:
                log.debug("a kept beginning could not be restored; %s tokens are read again", held)

    def _has_room(self, job: Job) -> bool:
        """Whether it may come in. Who was crowded out waits until somebody ends, or nobody is left: let in sooner, it
        would take the same room again before those who stayed got a token further, and no one would ever end."""
        if job in self._crowded_out:
            return not self._active
        return job.lane == "inline" or self._fits(job)

    def _fits(self, job: Job) -> bool:
        """Whether the cells hold it beside those that are at work: better late than swapped out."""
        needs = [max(len(other.prompt), len(other.seat.tokens) if other.seat else 0) for other in self._active]
        return not needs or sum(needs) + len(job.prompt) + _HEADROOM * (len(needs) + 1) <= self._cells.capacity

    def _another_reads_it(self, job: Job) -> bool:
        """Whether a prompt that is being read begins as this one does, and further than anything that was read."""
        if job.exact or not self._cells.shares:
            return False
        return any(
            other.reads and rank(other.lane) <= rank(job.lane) and self._worth_waiting(job, other)
            for other in self._active
        )

    def _worth_waiting(self, job: Job, reader: Job) -> bool:
        shared = common(reader.prompt, job.prompt)
        seat = _seat(reader)
        return shared > len(seat.tokens) and shared > self._seats.longest(job.prompt, besides=seat) + _WORTH_WAITING

    # -- what is computed

    def _batches(self) -> list[list[_Turn]]:
        """The batches of a step: of the highest lane that has work, and what rides along."""
        if not self._active:
            return []
        top = min(rank(job.lane) for job in self._active)
        if self.held and top > 0:
            return []
        ours = sorted((job for job in self._active if rank(job.lane) == top), key=lambda job: job.id)
        exact = [self._exact(job) for job in ours if job.exact]
        rows = [_row(job) for job in ours if not job.reads and not job.exact][: self._cells.batch_size]
        chunks = self._chunks([job for job in ours if job.reads and not job.exact], len(rows))
        if chunks:
            return [[turn] for turn in exact] + [rows + chunks]
        rows += self._riders(top, len(rows))
        return [[turn] for turn in exact] + self._split(rows)

    def _chunks(self, readers: list[Job], rows: int) -> list[_Turn]:
        room = self._cells.batch_size - rows
        if rows:
            room = min(room, max(_LEAST_STRIDE, self._cost.rows_within(_PAUSE_S) or _CHUNK))
        turns: list[_Turn] = []
        for job in readers:
            if room <= 0:
                break
            turns.append(_reading(job, min(room, job.stride or room, _up_to_beginning(job))))
            room -= len(turns[-1].chunk.tokens)
        return turns

    def _exact(self, job: Job) -> _Turn:
        return _reading(job, self._cells.batch_size) if job.reads else _row(job)

    def _riders(self, top: int, rows: int) -> list[_Turn]:
        if top == 0 or not rows:
            return []
        others = [job for job in self._active if rank(job.lane) > top and not job.reads and not job.exact]
        if not others:
            return []
        others.sort(key=lambda job: (rank(job.lane), job.id))
        return [_row(job) for job in others[: self._cost.riders(rows, min(len(others), self._cells.batch_size - rows))]]

    def _split(self, rows: list[_Turn]) -> list[list[_Turn]]:
        taken = iter(rows)
        return [list(itertools.islice(taken, size)) for size in self._cost.batches(len(rows)) if size]

    # -- computing it

    def _compute(self, batch: list[_Turn]) -> bool:
        """Compute one batch and hand its outputs out; False when the step ends here."""
        self.doing = [turn.job for turn in batch]
        self._before_batch()
        try:
            outcome = self._cells.decode([turn.chunk for turn in batch])
        except Fault as fault:
            return self._blame(batch, fault)
        if outcome == "done":
            self._hand_out(batch)
            return True
        self._roll_back(batch)
        if outcome == "full":
            self._make_room()
        else:
            _shorten(batch)
        return False

    def _blame(self, batch: list[_Turn], fault: Fault) -> bool:
        """A batch that failed is tried part by part, so that only the job at fault ends."""
        self._roll_back(batch)
        if len(batch) == 1:
            self._end(batch[0].job, ModelFailed(f"The model could not go on: {fault}.", "Ask again."))
            return True
        return all([self._compute([turn]) for turn in batch if turn.job.seat and _still(turn)])

    def _roll_back(self, batch: list[_Turn]) -> None:
        """Back to before the batch; a kind of model that can only forget everything reads it all again."""
        for turn in batch:
            job, seat, held = turn.job, _seat(turn.job), list(_seat(turn.job).tokens)
            self._seats.cut(seat, turn.chunk.start)
            if len(seat.tokens) < len(held) and job.chosen is not None:
                job.prompt, job.chosen = [*held, job.chosen], None

    def _hand_out(self, batch: list[_Turn]) -> None:
        alone, size, row = len(batch) == 1, self._cells.batch_size, -1
        for turn in batch:
            job, chunk, seat = turn.job, turn.chunk, _seat(turn.job)
            row += len(chunk.tokens)
            if alone and chunk.start == seat.aligned and len(chunk.tokens) == size:
                seat.aligned += size
            seat.tokens.extend(chunk.tokens)
            job.stride *= 2
            if self._beginnings is not None and job.beginning == len(seat.tokens):
                self._beginnings.keep(seat)
            if chunk.output:
                self._choose(job, row)

    def _choose(self, job: Job, row: int) -> None:
        try:
            job.chosen = job.voice.choose(row)
        except HearthError as error:
            self._end(job, error)
        else:
            if job.chosen is None:
                self._leave(job)

    def _make_room(self) -> None:
        """The cells are full: what nobody uses goes first, then the youngest job of the lowest lane waits again."""
        if self._seats.evict():
            return
        job = max(self._active, key=lambda job: (rank(job.lane), job.id))
        if len(self._active) == 1:
            self._end(job, ModelFailed("The context is full.", "Start a new thread, or raise `engine.context`."))
            return
        seat = _seat(job)
        if job.chosen is not None:  # what was said stays said; it is read again, with what was to come next
            job.prompt, job.chosen = [*seat.tokens, job.chosen], None
        self._seats.cut(seat, 0)
        self._stand_up(job)
        self._crowded_out.add(job)
        self._waiting.again(job.id, job.lane, job)

    # -- how jobs end

    def _end(self, job: Job, error: HearthError) -> None:
        self._leave(job)
        job.voice.fail(error)

    def _leave(self, job: Job) -> None:
        self._waiting.drop(job.id)
        if job.seat is not None:
            self._stand_up(job)
            self._crowded_out.clear()

    def _stand_up(self, job: Job) -> None:
        self._seats.leave(_seat(job))
        job.seat = None
        self._active.remove(job)


def _seat(job: Job) -> Seat:
    assert job.seat is not None
    return job.seat


def _row(job: Job) -> _Turn:
    seat = _seat(job)
    assert job.chosen is not None
    return _Turn(job, Chunk(seat.id, len(seat.tokens), (job.chosen,)))


def _reading(job: Job, most: int) -> _Turn:
    seat = _seat(job)
    start = len(seat.tokens)
    tokens = job.prompt[start : start + most]
    return _Turn(job, Chunk(seat.id, start, tokens, output=start + len(tokens) == len(job.prompt)))


def _up_to_beginning(job: Job) -> int:
    """A beginning that is to be kept is read to its end and no further, so that the seat holds just that."""
    left = job.beginning - len(_seat(job).tokens)
    return left if left > 0 else len(job.prompt)


def _still(turn: _Turn) -> bool:
    """Whether the job stands where it stood when the turn was planned."""
    return len(_seat(turn.job).tokens) == turn.chunk.start


def _shorten(batch: list[_Turn]) -> None:
    """After an abort the next chunk is half as long: however often typing interrupts it, a prompt gets read."""
    for turn in batch:
        if turn.job.reads and not turn.job.exact:
            turn.job.stride = max(_LEAST_STRIDE, len(turn.chunk.tokens) // 2)
