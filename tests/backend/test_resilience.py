import pytest

from hearth_backend.resilience import Breaker, RetryBudget, TokenBucket, retried
from support.clock import Clock

pytestmark = pytest.mark.unit


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock, failures=2, within_s=30, open_s=10, ceiling_s=40)
    for _ in range(2):
        assert breaker.admit()
        breaker.failed()
    return breaker


def test_a_bucket_gives_its_burst_and_then_says_how_long_to_wait() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=2, burst=3, clock=clock)
    assert [bucket.take() for _ in range(3)] == [0, 0, 0]
    assert bucket.take() == 0.5


def test_a_bucket_fills_with_time_but_not_beyond_its_burst() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=2, burst=3, clock=clock)
    for _ in range(3):
        bucket.take()
    clock.pass_(1000)
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_clock_that_goes_back_takes_nothing_from_a_bucket() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=1, burst=2, clock=clock)
    clock.pass_(-500)
    assert [bucket.take(), bucket.take()] == [0, 0]


def test_a_closed_breaker_admits_everybody() -> None:
    breaker = Breaker(Clock())
    assert all(breaker.admit() for _ in range(20))


def test_a_breaker_opens_after_failures_in_a_row() -> None:
    breaker = opened(Clock())
    assert breaker.is_open
    assert not breaker.admit()
    assert breaker.seconds_left == 10


def test_failures_long_apart_do_not_open_it() -> None:
    clock = Clock()
    breaker = Breaker(clock, failures=2, within_s=30)
    breaker.failed()
    clock.pass_(31)
    breaker.failed()
    assert breaker.admit()


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker(Clock(), failures=2)
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert not breaker.is_open


def test_exactly_one_probe_passes_an_open_breaker() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.pass_(10)
    assert [breaker.admit() for _ in range(20)] == [True] + [False] * 19


def test_a_probe_that_works_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.pass_(10)
    breaker.admit()
    breaker.succeeded()
    assert breaker.admit()
    assert breaker.admit()


def test_a_probe_that_fails_doubles_the_wait_up_to_the_ceiling() -> None:
    clock = Clock()
    breaker = opened(clock)
    waits: list[float] = []
    for _ in range(4):
        clock.pass_(breaker.seconds_left)
        assert breaker.admit()
        breaker.failed()
        waits.append(breaker.seconds_left)
    assert waits == [20, 40, 40, 40]


def test_a_cancelled_probe_frees_its_place() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.pass_(10)
    assert breaker.admit()
    breaker.released()
    assert breaker.admit()


def test_a_neighbour_that_asks_for_rest_gets_it_but_not_for_ever() -> None:
    clock = Clock()
    breaker = Breaker(clock, ceiling_s=300)
    breaker.rest(3600)
    assert not breaker.admit()
    assert breaker.seconds_left == 300
    clock.pass_(300)
    assert breaker.admit()


@pytest.mark.logs("stamina")
async def test_what_fails_once_is_tried_again() -> None:
    results = iter([OSError("busy"), "done"])

    async def body() -> str:
        if isinstance(result := next(results), OSError):
            raise result
        return result

    assert await retried(body, on=OSError) == "done"


async def test_what_cannot_succeed_is_not_tried_again() -> None:
    tries: list[int] = []

    async def body() -> None:
        tries.append(1)
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await retried(body, on=OSError)
    assert len(tries) == 1


def test_one_try_in_ten_may_be_a_second_one() -> None:
    budget = RetryBudget(most=2)
    granted = 0
    for _ in range(100):
        budget.asked()
        granted += budget.spend()
    assert granted == 10


def test_no_more_retries_are_saved_up_than_the_budget_holds() -> None:
    budget = RetryBudget(most=2)
    assert not budget.spend()
    for _ in range(1000):
        budget.asked()
    assert [budget.spend() for _ in range(3)] == [True, True, False]
