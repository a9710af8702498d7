"""Who is served next, in which batch, and that nobody's answer depends on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_backend.engine.kvcache import Decoded, Fault
from hearth_backend.engine.lanes import LANES, Lane
from hearth_backend.engine.scheduler import Job, Scheduler
from hearth_backend.engine.stepcost import FLAT, StepCost
from hearth_shared.errors import Cancelled, DeadlineExceeded, HearthError, ModelFailed
from support.cells import MemoryOfTokens

pytestmark = pytest.mark.unit
SPLITS = StepCost({1: 1.0, 2: 5.0, 4: 6.0, 8: 7.0}, 8)


@dataclass
class Fable:
    """A voice whose every word follows from all that was said before it."""

    cells: MemoryOfTokens
    limit: int
    said: list[int] = field(default_factory=list[int])
    cached: int = -1
    ends: list[object] = field(default_factory=list[object])

    def begin(self, cached: int) -> None:
        assert self.cached < 0, "an answer begins once"
        assert not self.ends
        self.cached = cached

    def choose(self, row: int) -> int | None:
        assert not self.ends
        self.said.append(following(self.cells.outputs[row]))
        if len(self.said) < self.limit:
            return self.said[-1]
        self.ends.append("whole")
        return None

    def fail(self, error: HearthError) -> None:
        self.ends.append(error)

    def drop(self) -> None:
        self.ends.append("dropped")


def following(tokens: Sequence[int]) -> int:
    return sum(at * token for at, token in enumerate(tokens, 3)) % 97


def alone(prompt: Sequence[int], limit: int) -> list[int]:
    tokens = list(prompt)
    for _ in range(limit):
        tokens.append(following(tokens))
    return tokens[len(prompt) :]


class Room:
    """A scheduler, its cells and the jobs given to it."""

    def __init__(self, *, seats: int = 9, cost: StepCost = FLAT, batch: int = 8, **cells: Any) -> None:
        self.now = 0.0
        self.cells = MemoryOfTokens(batch=batch, **cells)
        self.scheduler = Scheduler(self.cells, seats, cost, clock=lambda: self.now)
        self.jobs: list[Job] = []
        self.voices: list[Fable] = []

    def ask(self, prompt: Sequence[int], lane: Lane = "chat", limit: int = 3, **options: Any) -> Fable:
        voice = Fable(self.cells, limit)
        job = Job(len(self.jobs), lane, list(prompt), voice, **options)
        self.jobs.append(job)
        self.voices.append(voice)
        self.scheduler.add(job)
        return voice

    def finish(self, most: int = 2000) -> None:
        for _ in range(most):
            if not self.scheduler.busy():
                return
            self.scheduler.step()
        raise AssertionError("it does not come to an end")

    def rows(self) -> list[list[int]]:
        """The seats in each batch so far."""
        return [[chunk.seat for chunk in batch] for batch in self.cells.decoded]


asked = st.fixed_dictionaries(
    {
        "prompt": st.lists(st.integers(0, 2), min_size=1, max_size=20),
        "lane": st.sampled_from(LANES),
        "limit": st.integers(1, 6),
        "exact": st.booleans(),
        "owner": st.sampled_from(["a", "b"]),
    }
)
happenings = st.lists(
    st.sampled_from(["ask", "ask", "step", "step", "cancel", "forget", "aborted", "full", "fault"]), max_size=60
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(asked, min_size=1, max_size=8),
    happenings,
    st.sampled_from([FLAT, SPLITS]),
    st.integers(2, 10),
    st.integers(30, 200),
    st.booleans(),
)
def test_whatever_happens_between_them_each_request_says_what_it_says_alone(
    requests: list[dict[str, Any]], happening: list[str], cost: StepCost, seats: int, capacity: int, whole_only: bool
) -> None:
    room = Room(seats=seats, cost=cost, capacity=capacity, size=30, whole_only=whole_only)
    left = list(requests)
    outcomes: dict[str, Decoded | Fault] = {"aborted": "aborted", "full": "full", "fault": Fault("by chance")}
    cancelled: set[int] = set()
    for what in happening:
        if what == "ask" and left:
            room.ask(**left.pop())
        elif what == "step" and room.scheduler.busy():
            room.scheduler.step()
        elif what == "cancel" and room.jobs:
            cancelled.add(len(room.jobs) - 1)
            room.scheduler.cancel(len(room.jobs) - 1)
        elif what == "forget":
            room.scheduler.forget()
        elif what in outcomes and room.scheduler.busy():
            room.cells.outcomes.append(outcomes[what])
    while left:
        room.ask(**left.pop())
    room.finish()
    for job, voice in zip(room.jobs, room.voices, strict=True):
        assert len(voice.ends) == 1, "every request ends exactly once"
        asked_for = requests[len(requests) - 1 - job.id]
        whole = alone(asked_for["prompt"], voice.limit)
        assert voice.said == whole[: len(voice.said)]
        if voice.ends == ["whole"]:
            assert voice.said == whole
        elif job.id not in cancelled:
            assert isinstance(voice.ends[0], ModelFailed)
            assert "fault" in happening or "full" in happening


def test_what_was_read_is_forgotten_at_once_and_what_is_read_at_its_end() -> None:
    room = Room()
    room.ask([1, 2, 3, 4])
    room.finish()
    running = room.ask([5, 6, 7, 8], limit=4)
    room.scheduler.step()
    room.scheduler.forget()
    assert sorted(room.cells.tokens(seat) for seat in range(9))[-1][:4] == [5, 6, 7, 8]
    again = room.ask([1, 2, 3, 4])
    beside = room.ask([5, 6, 7, 8])
    room.finish()
    assert (again.cached, beside.cached) == (0, 0)
    assert running.said == alone([5, 6, 7, 8], 4)
    room.scheduler.forget()
    assert room.cells.used == 0


def test_a_beginning_that_was_to_be_kept_is_not_kept_once_all_is_to_be_forgotten() -> None:
    room = Room()
    job = Job(0, "chat", [1, 2, 3], Fable(room.cells, 1), beginning=2)
    room.scheduler.add(job)
    room.scheduler.forget()
    assert (job.beginning, job.passing) == (0, True)


def test_rows_of_all_who_write_share_a_batch() -> None:
    room = Room()
    for at in range(4):
        room.ask([at, 1], limit=5)
    room.scheduler.step()
    room.scheduler.step()
    assert [len(batch) for batch in room.rows()] == [4, 4]


def test_where_batches_are_dear_rows_are_computed_one_by_one() -> None:
    room = Room(cost=SPLITS)
    for at in range(4):
        room.ask([at, 1], limit=5)
    room.scheduler.step()
    room.scheduler.step()
    assert [len(batch) for batch in room.rows()] == [4, 1, 1, 1, 1]


def test_a_lower_lane_waits_while_a_higher_one_has_work() -> None:
    room = Room(cost=SPLITS)
    slow = room.ask([1] * 20, "indexing", limit=4)
    room.scheduler.step()
    quick = room.ask([2, 3], "inline")
    while not quick.ends:
        room.scheduler.step()
    assert not slow.said
    room.finish()
    assert slow.said == alone([1] * 20, 4)


def test_a_lower_lane_rides_along_where_it_costs_nothing() -> None:
    room = Room()
    low = room.ask([1, 2], "ambient", limit=20)
    room.scheduler.step()
    high = room.ask([2, 3], "chat", limit=5)
    while not high.ends:
        room.scheduler.step()
    assert len(low.said) >= 4


def test_nothing_rides_beside_the_keyboard() -> None:
    room = Room()
    low = room.ask([1, 2], "chat", limit=20)
    room.scheduler.step()
    high = room.ask([2, 3], "inline", limit=5)
    while not high.ends:
        room.scheduler.step()
    assert len(low.said) == 1


def test_a_seat_is_kept_for_the_keyboard() -> None:
    room = Room(seats=3)
    for at in range(4):
        room.ask([at, 1], limit=50)
    room.scheduler.step()
    typed = room.ask([9, 9], "inline", limit=1)
    room.scheduler.step()
    assert typed.ends == ["whole"]
    assert sum(voice.cached >= 0 for voice in room.voices[:4]) == 2


def test_a_prompt_that_another_is_reading_is_read_once() -> None:
    room = Room()
    shared = [at % 7 for at in range(80)]
    for at in range(8):
        room.ask([*shared, 90 + at], limit=2)
    room.finish()
    assert sum(len(chunk.tokens) for batch in room.cells.decoded for chunk in batch) == 80 + 8 * 2
    assert [voice.cached for voice in room.voices] == [0, *[80] * 7]


def test_nobody_waits_for_a_prompt_of_a_lower_lane() -> None:
    room = Room()
    shared = [at % 7 for at in range(80)]
    room.ask(shared, "indexing")
    room.scheduler.step()
    typed = room.ask([*shared, 1], "inline", limit=1)
    for _ in range(11):
        room.scheduler.step()
    assert typed.ends == ["whole"]


def test_a_chunk_of_a_prompt_does_not_hold_up_those_who_write() -> None:
    room = Room(batch=512)
    writing = room.ask([1, 2], limit=30)
    room.scheduler.step()
    room.ask([3] * 500)
    for _ in range(3):
        room.scheduler.step()
    assert len(writing.said) == 4
    assert max(len(chunk.tokens) for batch in room.cells.decoded[1:] for chunk in batch) == 128


def test_an_abort_costs_the_step_and_the_next_chunk_is_half_as_long() -> None:
    room = Room(batch=256)
    voice = room.ask([5] * 300, limit=1)
    room.cells.outcomes = ["aborted", "aborted"]
    room.finish()
    assert [len(batch[0].tokens) for batch in room.cells.decoded] == [256, 128, 64, 128, 108]
    assert voice.said == alone([5] * 300, 1)


def test_a_seed_is_computed_in_batches_of_its_own() -> None:
    room = Room()
    exact = room.ask([1] * 20, limit=4, exact=True)
    for at in range(3):
        room.ask([2, at], limit=8)
    room.finish()
    mine = [batch for batch in room.cells.decoded if any(chunk.tokens[0] == 1 for chunk in batch)]
    assert all(len(batch) == 1 for batch in mine)
    assert exact.said == alone([1] * 20, 4)


def test_a_newer_keystroke_ends_the_older_one_wherever_it_is() -> None:
    room = Room()
    running = room.ask([1] * 30, "inline", document="a.py", owner="me")
    room.scheduler.step()
    waiting = room.ask([2] * 30, "inline", document="a.py", owner="me")
    other = room.ask([3], "inline", document="a.py", owner="you")
    last = room.ask([4], "inline", document="a.py", owner="me")
    room.finish()
    assert [type(voice.ends[0]) for voice in (running, waiting)] == [Cancelled, Cancelled]
    assert (other.ends, last.ends) == (["whole"], ["whole"])


def test_time_that_is_over_ends_those_who_wait_and_those_who_write() -> None:
    room = Room(seats=2)
    writing = room.ask([1, 2], limit=500, deadline=5.0)
    waiting = room.ask([3], limit=500, deadline=4.0)
    patient = room.ask([4], limit=2)
    room.scheduler.step()
    room.now = 6.0
    room.finish()
    assert [type(voice.ends[0]) for voice in (writing, waiting)] == [DeadlineExceeded, DeadlineExceeded]
    assert patient.ends == ["whole"]


def test_full_cells_cost_what_is_idle_first_and_then_the_youngest_of_the_lowest_lane() -> None:
    room = Room(capacity=60, size=60)
    room.ask([7] * 20, limit=1)
    room.finish()
    chat = room.ask([1] * 10, "chat", limit=30)
    room.scheduler.step()
    low = room.ask([2] * 4, "ambient", limit=30)
    room.finish()
    assert chat.said == alone([1] * 10, 30)
    assert low.said == alone([2] * 4, 30)


def test_what_was_crowded_out_does_not_crowd_out_in_turn() -> None:
    room = Room(seats=2, capacity=30, size=30)
    prompt = [0, 2, 2, 0, 0, 2, 2, *[0] * 8]
    first = room.ask([*prompt, 0], "inline", limit=2, exact=True)
    second = room.ask(prompt, "inline", limit=1)  # its beginning is copied from the first: that alone fills the cells
    room.finish(most=10)
    assert (first.ends, first.said) == (["whole"], alone([*prompt, 0], 2))
    assert (second.ends, second.said) == (["whole"], alone(prompt, 1))


def test_one_who_was_crowded_out_is_next_when_somebody_ends() -> None:
    room = Room(seats=4, capacity=30, size=30)
    first, second = room.ask([1] * 14, "inline", limit=12), room.ask([2] * 14, "inline", limit=2)
    while not room.cells.decoded or room.jobs[1].seat:
        room.scheduler.step()
    third, chat = room.ask([3], "inline", limit=1), room.ask([4], "chat", limit=1)
    while not first.ends:
        assert room.jobs[1].seat is None
        assert (third.cached, chat.cached) == (-1, -1)
        room.scheduler.step()
    room.finish(most=10)
    assert [voice.ends for voice in room.voices] == [["whole"]] * 4
    assert second.said == alone([2] * 14, 2)


def test_one_that_is_alone_and_still_does_not_fit_is_told_so() -> None:
    room = Room(capacity=16)
    voice = room.ask([1] * 10, limit=30)
    room.finish()
    assert isinstance(voice.ends[0], ModelFailed)
    assert voice.said == alone([1] * 10, 30)[: len(voice.said)]


def test_a_prompt_that_would_not_fit_beside_the_others_waits_for_them() -> None:
    room = Room(capacity=200, size=200)
    first = room.ask([1] * 20, limit=4)
    room.scheduler.step()
    large = room.ask([2] * 150, limit=4)
    room.scheduler.step()
    assert large.cached == -1
    room.finish()
    assert (first.ends, large.ends) == (["whole"], ["whole"])
    assert room.cells.decoded[0][0].tokens != room.cells.decoded[-1][0].tokens


def test_only_the_job_at_fault_ends() -> None:
    room = Room()
    bad, good = room.ask([1, 2], limit=3), room.ask([3, 4], limit=3)
    room.cells.outcomes = [Fault("together"), Fault("alone")]
    room.finish()
    assert isinstance(bad.ends[0], ModelFailed)
    assert good.ends == ["whole"]


def test_stopping_ends_everybody() -> None:
    room = Room(seats=2)
    voices = [room.ask([at], limit=9) for at in range(3)]
    room.scheduler.step()
    room.scheduler.stop(Cancelled("closing"))
    assert [type(voice.ends[0]) for voice in voices] == [Cancelled] * 3
    assert not room.scheduler.busy()


def test_while_it_is_held_only_what_is_typed_is_computed() -> None:
    room = Room()
    chat = room.ask([1, 2], limit=9)
    room.scheduler.step()
    room.scheduler.held = True
    room.scheduler.step()
    assert not room.scheduler.busy(held=True)
    typed = room.ask([3], "inline")
    assert room.scheduler.busy(held=True)
    for _ in range(3):
        room.scheduler.step()
    assert (typed.ends, len(chat.said)) == (["whole"], 1)
    room.scheduler.held = False
    room.finish()
    assert chat.ends == ["whole"]
