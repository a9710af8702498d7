import pytest

from hearth_backend.agent.meter import Meter, narrowed, share
from hearth_shared.errors import BudgetExceeded
from hearth_shared.protocol.tasks import Budget, Tokens

pytestmark = pytest.mark.unit


def test_so_many_steps_and_not_one_more() -> None:
    meter = Meter(Budget(steps=2))
    meter.step()
    meter.step()
    with pytest.raises(BudgetExceeded, match="2 steps"):
        meter.step()


@pytest.mark.parametrize(
    ("budget", "spent", "why"),
    [
        (Budget(tokens=10), Tokens(input=7, output=3), "10 tokens"),
        (Budget(dollars=0.5), Tokens(cost=0.51), "0.5 US dollars"),
        (Budget(dollars=0.5), Tokens(cost=None), "price is not known"),
    ],
)
def test_what_is_spent_ends_it(budget: Budget, spent: Tokens, why: str) -> None:
    meter = Meter(budget)
    meter.spent(spent)
    with pytest.raises(BudgetExceeded, match=why):
        meter.step()


def test_models_on_this_machine_cost_nothing() -> None:
    meter = Meter(Budget(dollars=0))
    meter.spent(Tokens(input=9, cost=0.0))
    meter.step()


def test_whoever_gives_less_decides() -> None:
    assert narrowed(Budget(steps=5, dollars=1), Budget(steps=3, seconds=9)) == Budget(steps=3, dollars=1, seconds=9)


def test_what_is_left_is_shared_out() -> None:
    meter = Meter(Budget(steps=10, tokens=100, dollars=1.0, seconds=60))
    meter.step()
    meter.spent(Tokens(input=10, output=10, cost=0.2))
    assert meter.left() == Budget(steps=9, tokens=80, dollars=0.8, seconds=60)
    assert share(meter.left(), 2) == Budget(steps=4, tokens=40, dollars=0.4, seconds=60)
