import pytest

from hearth_backend.api.limits import Limits, ModelSlots
from hearth_backend.api.principals import Principal, first_party, third_party
from hearth_shared.errors import Overloaded, RateLimited
from hearth_shared.protocol.principals import Client, Door
from hearth_shared.settings import Server

pytestmark = pytest.mark.unit

SETTINGS = Server(
    third_party_per_minute=60,
    third_party_burst=3,
    completions_per_second=5,
    first_party_per_second=10,
    first_party_burst=20,
)


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def program(identifier: str = "a") -> Principal:
    return third_party(Client(id=identifier, name="x", scopes=[], spaces=[], created_at=0, expires_at=1e12))


def allowed(limits: Limits, principal: Principal, *, completion: bool = False) -> int:
    """How many requests pass at once."""
    count = 0
    while True:
        try:
            limits.take(principal, completion=completion)
        except RateLimited:
            return count
        count += 1


def test_a_token_has_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    limits = Limits(SETTINGS, clock)
    assert allowed(limits, program()) == 3
    clock.now += 2
    assert allowed(limits, program()) == 2


def test_completion_calls_of_a_token_are_counted_for_themselves() -> None:
    limits = Limits(SETTINGS, Clock())
    assert allowed(limits, program()) == 3
    assert allowed(limits, program(), completion=True) == 10


def test_a_door_of_the_persons_has_one_bucket_for_everything() -> None:
    limits = Limits(SETTINGS, Clock())
    assert allowed(limits, first_party(Door.EDITOR)) == 20
    assert allowed(limits, first_party(Door.EDITOR), completion=True) == 0


def test_one_programs_flood_is_not_anothers_drought() -> None:
    limits = Limits(SETTINGS, Clock())
    allowed(limits, program("a"))
    assert allowed(limits, program("b")) == 3


def test_the_refusal_says_how_long_to_wait() -> None:
    limits = Limits(SETTINGS, Clock())
    allowed(limits, program())
    with pytest.raises(RateLimited) as refused:
        limits.take(program(), completion=False)
    assert refused.value.data["retry_after"] == pytest.approx(1.0)


def test_model_slots_are_given_back_also_by_a_failure() -> None:
    slots = ModelSlots(1)
    with pytest.raises(KeyError), slots.one():
        raise KeyError
    with slots.one(), pytest.raises(Overloaded), slots.one():
        pass
    with slots.one():
        pass
