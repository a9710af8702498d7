import pytest

from hearth_backend.engine.rate import Rate

pytestmark = pytest.mark.unit


def test_the_rate_is_that_of_late() -> None:
    rate = Rate()
    assert (rate.value, rate.left(100)) == (0.0, None)
    for second in range(20):
        rate.add(float(second), 1000 * second if second < 10 else 9000 + 100 * (second - 9))
    assert rate.value == pytest.approx(100)
    assert rate.left(10_100) == pytest.approx(1.0)
    assert rate.left(5) == 0


def test_beginning_again_is_no_negative_rate() -> None:
    rate = Rate()
    rate.add(0.0, 500)
    rate.add(1.0, 0)
    rate.add(2.0, 100)
    assert rate.value == 100.0


def test_time_that_stands_still_says_nothing() -> None:
    rate = Rate()
    rate.add(1.0, 0)
    rate.add(1.0, 100)
    assert (rate.value, rate.left(200)) == (0.0, None)
