"""The engine thread and those who interrupt it."""

import queue
import threading
from collections.abc import Callable, Sequence

import pytest

from hearth_backend.engine.kvcache import Chunk, Decoded
from hearth_backend.engine.lanes import Lane
from hearth_backend.engine.runner import Runner
from hearth_backend.engine.scheduler import Job, Scheduler
from hearth_shared.errors import HearthError
from support.cells import MemoryOfTokens

pytestmark = pytest.mark.integration
BATCH = 64


class Flag:
    """An abort flag that tells when it went up."""

    def __init__(self) -> None:
        self.raised = threading.Event()

    def up(self) -> None:
        self.raised.set()

    def down(self) -> None:
        self.raised.clear()


class SlowCells(MemoryOfTokens):
    """Long batches take until they are let go on, or until the flag goes up."""

    def __init__(self, flag: Flag) -> None:
        super().__init__(batch=BATCH)
        self.begun: queue.Queue[int] = queue.Queue()
        self.go_on = threading.Semaphore(0)
        self._flag = flag

    def decode(self, chunks: Sequence[Chunk]) -> Decoded:
        if sum(len(chunk.tokens) for chunk in chunks) == BATCH:
            self.begun.put(chunks[0].tokens[0])
            while not self.go_on.acquire(timeout=0.005):
                if self._flag.raised.is_set():
                    self.outcomes.append("aborted")
                    break
        return super().decode(chunks)


class Short:
    """A voice of one word, and where it tells that it is over."""

    def __init__(self, name: str, told: "queue.Queue[str]") -> None:
        self._name = name
        self._told = told

    def begin(self, cached: int) -> None:
        pass

    def choose(self, row: int) -> int | None:
        self._told.put(f"{self._name} said it")

    def fail(self, error: HearthError) -> None:
        self._told.put(f"{self._name} failed")

    def drop(self) -> None:
        self._told.put(f"{self._name} dropped")


class Endless(Short):
    """One that goes on."""

    def choose(self, row: int) -> int:
        return 1


class Desk:
    """A runner at work."""

    def __init__(self) -> None:
        self.told: queue.Queue[str] = queue.Queue()
        self.flag = Flag()
        self.cells = SlowCells(self.flag)
        self.kept: queue.Queue[bool] = queue.Queue()  # after each step, and before what may take longer
        self.runner = Runner(self.flag, self._flush)
        threading.Thread(target=self.runner.run, args=(self._scheduler,), daemon=True).start()

    def ask(self, id: int, prompt: list[int], lane: Lane = "chat", document: str = "") -> None:
        self.runner.submit(Job(id, lane, prompt, Short(str(id), self.told), document=document))

    def writes(self, id: int) -> None:
        """Somebody who writes until nobody listens any more."""
        self.runner.submit(Job(id, "chat", [id], Endless(str(id), self.told)))

    def hears(self) -> str:
        return self.told.get(timeout=60)

    def begins(self) -> int:
        return self.cells.begun.get(timeout=60)

    def _flush(self, goes_on: bool) -> None:
        self.kept.put(goes_on)

    def keeps(self, expected: bool) -> None:
        """Wait until what was said may be kept, or must go out."""
        while self.kept.get(timeout=20) is not expected:
            pass

    def _scheduler(self, before_batch: Callable[[], None]) -> Scheduler:
        return Scheduler(self.cells, 5, before_batch=before_batch)


def test_typing_stops_a_long_batch_and_that_one_goes_on_afterwards() -> None:
    desk = Desk()
    desk.ask(1, [1] * BATCH)
    assert desk.begins() == 1
    desk.ask(2, [2, 2], "inline")
    assert desk.hears() == "2 said it"
    assert desk.hears() == "1 said it"  # in halves now, which nothing holds up
    assert desk.cells.decoded[0][0].tokens == [1] * BATCH


def test_another_conversation_does_not_stop_it() -> None:
    desk = Desk()
    desk.ask(1, [1] * BATCH)
    assert desk.begins() == 1
    desk.ask(2, [2, 2])
    desk.ask(3, [3, 3], "ambient")
    assert not desk.flag.raised.is_set()
    desk.cells.go_on.release()
    assert [desk.hears() for _ in range(3)] == ["1 said it", "2 said it", "3 said it"]


def test_the_prompt_nobody_waits_for_any_more_is_not_read_to_its_end() -> None:
    desk = Desk()
    desk.ask(1, [1] * BATCH)
    assert desk.begins() == 1
    desk.runner.cancel(1)
    assert desk.hears() == "1 dropped"
    desk.runner.cancel(1)
    desk.ask(2, [2])
    assert desk.hears() == "2 said it"


def test_a_newer_keystroke_stops_the_older_one() -> None:
    desk = Desk()
    desk.ask(1, [1] * BATCH, "inline", "a.py")
    assert desk.begins() == 1
    desk.ask(2, [2], "inline", "b.py")
    assert not desk.flag.raised.is_set()
    desk.ask(3, [3], "inline", "a.py")
    assert desk.hears() == "1 failed"
    assert {desk.hears(), desk.hears()} == {"2 said it", "3 said it"}


def test_what_a_step_gave_may_be_kept_while_the_next_one_only_writes() -> None:
    desk = Desk()
    desk.writes(1)
    desk.keeps(True)
    desk.runner.cancel(1)
    desk.keeps(False)


def test_nothing_is_kept_by_an_engine_that_is_told_to_hold() -> None:
    desk = Desk()
    desk.writes(1)
    desk.keeps(True)
    desk.runner.hold(True)
    desk.keeps(False)


def test_nothing_is_kept_while_a_prompt_is_read() -> None:
    desk = Desk()
    desk.writes(1)
    desk.keeps(True)
    desk.ask(2, [2] * BATCH, "inline")
    assert desk.begins() == 2  # and is not let go on
    kept = [desk.kept.get_nowait() for _ in range(desk.kept.qsize())]  # the engine thread is in its step
    assert kept[-1] is False


def test_an_engine_that_is_told_to_hold_stops_what_it_computes_until_it_may_go_on() -> None:
    desk = Desk()
    desk.ask(1, [1] * BATCH)
    assert desk.begins() == 1
    desk.runner.hold(True)
    desk.ask(2, [2], "inline")
    assert desk.hears() == "2 said it"
    desk.ask(3, [3], "inline")
    assert desk.hears() == "3 said it"
    desk.runner.hold(False)
    assert desk.hears() == "1 said it"
