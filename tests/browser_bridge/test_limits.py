import pytest

from hearth_bridge.limits import Bucket
from support.clock import Clock

pytestmark = pytest.mark.unit


def test_a_bucket_gives_what_is_in_it_and_fills_again() -> None:
    clock = Clock()
    bucket = Bucket(rate=2, most=3, now=clock)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.pass_(0.5)
    assert [bucket.take() for _ in range(2)] == [True, False]


def test_a_bucket_never_holds_more_than_it_may() -> None:
    clock = Clock()
    bucket = Bucket(rate=2, most=3, now=clock)
    clock.pass_(1000)
    assert sum(bucket.take() for _ in range(10)) == 3
