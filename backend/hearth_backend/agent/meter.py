"""What a task may take, and what it has taken so far."""

from typing import TypeVar

from hearth_shared.errors import BudgetExceeded
from hearth_shared.protocol.tasks import Budget, Tokens

N = TypeVar("N", int, float)


class Meter:
    """Counts calls, tokens and dollars; on a replay what was done before counts again, from the journal."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._steps = 0
        self._spent = Tokens()

    def step(self) -> None:
        """One more call of a model or a tool. Raises BudgetExceeded when there is no room for it."""
        self._check()
        if self.budget.steps is not None and self._steps >= self.budget.steps:
            raise _used_up(f"{self.budget.steps} steps")
        self._steps += 1

    def spent(self, all_tokens: Tokens) -> None:
        """What the task has taken of models so far."""
        self._spent = all_tokens

    def left(self) -> Budget:
        """What is still there."""
        used = self._spent.input + self._spent.output
        budget = self.budget
        return Budget(
            steps=None if budget.steps is None else max(1, budget.steps - self._steps),
            tokens=None if budget.tokens is None else max(1, budget.tokens - used),
            dollars=None if budget.dollars is None else max(0.0, budget.dollars - (self._spent.cost or 0.0)),
            seconds=budget.seconds,
        )

    def _check(self) -> None:
        budget, spent = self.budget, self._spent
        if budget.tokens is not None and spent.input + spent.output >= budget.tokens:
            raise _used_up(f"{budget.tokens} tokens")
        if budget.dollars is None:
            return
        if spent.cost is None:
            raise BudgetExceeded(
                "A model was asked whose price is not known, so the budget in dollars cannot be kept.",
                "Set its prices in config.toml, or leave `dollars` out of the profile's budget.",
            )
        if spent.cost > budget.dollars or (spent.cost == budget.dollars and spent.cost > 0):
            raise _used_up(f"{budget.dollars:g} US dollars")


def narrowed(one: Budget, other: Budget) -> Budget:
    """What both allow."""
    return Budget(
        steps=_least(one.steps, other.steps),
        tokens=_least(one.tokens, other.tokens),
        dollars=_least(one.dollars, other.dollars),
        seconds=_least(one.seconds, other.seconds),
    )


def share(budget: Budget, among: int) -> Budget:
    """An equal part for each of so many; time passes for all at once."""
    return Budget(
        steps=None if budget.steps is None else max(1, budget.steps // among),
        tokens=None if budget.tokens is None else max(1, budget.tokens // among),
        dollars=None if budget.dollars is None else budget.dollars / among,
        seconds=budget.seconds,
    )


def time_is_up(budget: Budget) -> BudgetExceeded:
    """The seconds are over."""
    return _used_up(f"{budget.seconds:g} seconds")


def _least(one: N | None, other: N | None) -> N | None:
    return one if other is None else other if one is None else min(one, other)


def _used_up(what: str) -> BudgetExceeded:
    return BudgetExceeded(
        f"The task has used up its budget of {what}.", "Ask for less, or raise the budget in the agent's profile."
    )
