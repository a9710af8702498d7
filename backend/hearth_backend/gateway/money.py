"""What may still be spent today: by everything, by an agent, by one call; work that nobody waits for stops first."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final

from hearth_backend.gateway.messages import Caller
from hearth_backend.gateway.policy import Route
from hearth_backend.gateway.prices import cost_of
from hearth_backend.gateway.usage import UsageLog
from hearth_shared.errors import ModelUnavailable
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.status import UsageRow
from hearth_shared.settings import Budget

log = logging.getLogger(__name__)
Tell = Callable[[EventType, Mapping[str, Any]], Awaitable[None]]
Now = Callable[[], datetime]
_WAITED_FOR: Final = frozenset({"inline", "chat"})
_USUAL_ANSWER: Final = 1024
_THRESHOLDS: Final = (0.8, 1.0)
_USUAL_DAYS, _FEWEST_DAYS, _SPIKE = 30, 3, 2.0
_FIX: Final = (
    "Models on this machine still answer. `hearth usage` shows what was spent, `hearth config set {}` allows more."
)


class Money:
    """Asked before each call to a cloud. A call under way is not cut off, so a day may end a call beyond its budget.
    Costs that nobody knows cannot be counted: `hearth usage` says how many there were."""

    def __init__(self, budget: Budget, usage: UsageLog, tell: Tell, now: Now = datetime.now) -> None:
        self._budget = budget
        self._usage = usage
        self._tell = tell
        self._now = now
        self._said: set[tuple[str, str]] = set()

    async def allow(self, route: Route, caller: Caller, read: int, written: int | None) -> None:
        """Raises ModelUnavailable, marked `skipped`, when the call would go beyond a budget. `read` and `written` are
        the tokens it will take, as far as can be told before."""
        if route.provider.where != "cloud":
            return
        if self._budget.day or self._budget.agent_day:
            midnight = datetime.combine(self._now().date(), time())
            agents = {agent: cost for _, agent, cost in await self._usage.spent(midnight.timestamp())}
            self._within_day(caller, sum(agents.values()))
            self._within_agents_day(caller.agent, agents.get(caller.agent, 0.0))
        if self._budget.call:
            await self._within_call(route, read, _USUAL_ANSWER if written is None else written, self._budget.call)

    async def watch(self, rows: Sequence[UsageRow]) -> None:
        """Tell a person, once a day each, of what these calls led to: a budget nearly or wholly spent, a spike."""
        if not any(row.cost for row in rows):
            return
        now = self._now()
        days = dict[str, float]()
        for day, _, cost in await self._usage.spent((now - timedelta(days=_USUAL_DAYS)).timestamp(), stored=True):
            days[day] = days.get(day, 0.0) + cost
        today = now.date().isoformat()
        found = warnings(days.get(today, 0.0), self._budget.day, usual(days, today))
        for name, data in found.items():
            if (today, name) not in self._said:
                self._said.add((today, name))
                log.info("%s: %s", name, data)
                await self._tell(EventType.ALERT_RAISED, {"name": name, **data})

    def _within_day(self, caller: Caller, spent: float) -> None:
        most = self._budget.day
        if not most:
            return
        if spent >= most:
            raise _over(f"The ${most:.2f} that models may cost today are spent", "budget.day")
        if caller.lane not in _WAITED_FOR and spent >= most * self._budget.background_share:
            kept = f"the rest of ${most:.2f} is kept for what you wait for"
            raise _over(f"${spent:.2f} are spent today, and {kept}", "budget.background_share")

    def _within_agents_day(self, agent: str, spent: float) -> None:
        most = self._budget.agent_day.get(agent)
        if most is not None and spent >= most:
            raise _over(f"The agent {agent} has spent the ${most:.2f} it may spend a day", "budget.agent_day")

    async def _within_call(self, route: Route, read: int, written: int, most: float) -> None:
        cost = await cost_of(route, read, written)
        if cost is not None and cost > most:
            raise _over(f"To ask {route.id} this would cost about ${cost:.4f}, more than ${most:.4f}", "budget.call")


def usual(days: Mapping[str, float], today: str) -> float | None:
    """What a day costs: the mean of those before today on which something was spent; None without three. Pure."""
    before = [cost for day, cost in days.items() if day < today and cost > 0]
    return sum(before) / len(before) if len(before) >= _FEWEST_DAYS else None


def warnings(spent: float, most: float, usually: float | None) -> dict[str, dict[str, float]]:
    """What a person should hear of a day's cost, by its name. Pure."""
    found: dict[str, dict[str, float]] = {}
    for share in _THRESHOLDS if most else ():
        if spent >= most * share:
            found[f"budget {share:.0%}"] = {"spent": spent, "budget": most}
    if usually is not None and spent > _SPIKE * usually:
        found["spike"] = {"spent": spent, "usual": usually}
    return found


def _over(what: str, setting: str) -> ModelUnavailable:
    return ModelUnavailable(f"{what}.", _FIX.format(setting), skipped=True)
