"""One call over all its routes: opening → streaming → complete, or the next route when it fails or is left incomplete.

opening      refused, an error status, no word in time, the wrong kind of answer: the next route, nothing was seen
streaming    broken off, silent, unreadable, no end: by `models.broken_off` the next route begins again (Restart), goes
             on from there (Chosen with `seam`), or nobody does; a turn that calls tools always begins again
complete     a finish reason, the dialect's end, and tool arguments that parse (`remote.Reader`)
failed       no route is left: what each said

There is no other layer of retries. When every route has failed, one of those that may do better at once is asked a
second time, as long as the budget of retries lasts: no server is asked more than twice for one call.
"""

import logging
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from hearth_backend.gateway.admission import Admission, Place
from hearth_backend.gateway.attempt import Attempt
from hearth_backend.gateway.dialect import estimated_tokens
from hearth_backend.gateway.messages import Caller, ChatEvent, Chosen, Finished, Restart
from hearth_backend.gateway.money import Money
from hearth_backend.gateway.policy import Route
from hearth_backend.gateway.prices import cost_of
from hearth_backend.gateway.said import Said
from hearth_backend.gateway.usage import UsageLog
from hearth_backend.observe.spans import Span, Untraced
from hearth_backend.observe.traces import Tracer
from hearth_backend.resilience import Clock, RetryBudget
from hearth_shared.errors import (
    BadRequest,
    DeadlineExceeded,
    HearthError,
    ModelFailed,
    ModelUnavailable,
    NotFound,
    Overloaded,
)
from hearth_shared.protocol.models import Role
from hearth_shared.settings import Models as Policy

log = logging.getLogger(__name__)
_ELSEWHERE = (ModelUnavailable, ModelFailed, BadRequest, NotFound, Overloaded)
_OUR_FAULT = frozenset({400, 401, 403, 404})
_TWICE = 2
Asked = Callable[[Route, str], AsyncGenerator[ChatEvent]]
"""The answer of a route, going on from a text when that is not empty."""
Nap = Callable[[float], Awaitable[object]]


@dataclass(slots=True)
class Asking:
    """One call: whose it is, what was seen of its answer, and who failed. `written` are the tokens it may write."""

    role: Role
    caller: Caller
    characters: int
    ask: Asked
    said: Said
    written: int | None = None
    failures: list[tuple[Route, HearthError]] = field(default_factory=list[tuple[Route, HearthError]])
    asked: Counter[str] = field(default_factory=Counter[str])
    introduced: bool = False

    def introduce(self, event: Chosen, route: Route) -> Iterator[ChatEvent]:
        """The first event of a route, and before it what becomes of the words of the one before."""
        goes_on = self.introduced and self.said.goes_on
        if self.introduced and not goes_on:
            self.said.taken_back()
            yield Restart(self.failures[-1][1].detail)
        self.introduced = True
        yield _introduced(event, route, self.failures, seam=goes_on)


class Failover:
    """Asks one route after another until an answer is complete. `nap` waits before a second try."""

    def __init__(
        self,
        admission: Admission,
        usage: UsageLog,
        tracer: Tracer,
        policy: Policy,
        *,
        clock: Clock,
        nap: Nap,
        money: Money | None = None,
    ) -> None:
        self._admission = admission
        self._usage = usage
        self._tracer = tracer
        self._policy = policy
        self._clock = clock
        self._nap = nap
        self._money = money
        self._budget = RetryBudget()

    async def answer(self, asking: Asking, routes: AsyncGenerator[Route]) -> AsyncGenerator[ChatEvent]:
        """The events of the first complete answer. Raises what kept the last route from one."""
        self._budget.asked()
        async with aclosing(self._in_turn(asking, routes)) as turns:
            async for route in turns:
                try:
                    async with aclosing(self._attempt(asking, route)) as events:
                        async for event in events:
                            yield event
                    return
                except _ELSEWHERE as error:
                    log.info("%s did not answer: %s", route.id, error.code)
                    asking.failures.append((route, error))
                    if asking.said.begun and self._policy.broken_off == "stop":
                        raise
        raise verdict(asking.failures)

    async def _in_turn(self, asking: Asking, routes: AsyncGenerator[Route]) -> AsyncGenerator[Route]:
        """All routes, then one of them once more if that may help."""
        async with aclosing(routes) as some:
            async for route in some:
                self._in_time(asking.caller)
                if asking.asked[route.provider.name] < _TWICE:
                    yield route
        again = next((route for route, error in asking.failures if self._may_help(asking, route, error)), None)
        if again is not None and self._budget.spend():
            await self._nap(random.uniform(0.05, 0.2))
            self._in_time(asking.caller)
            yield again

    def _may_help(self, asking: Asking, route: Route, error: HearthError) -> bool:
        return asking.asked[route.provider.name] < _TWICE and passes(error)

    def _in_time(self, caller: Caller) -> None:
        if caller.deadline is not None and self._clock() >= caller.deadline:
            raise DeadlineExceeded("The time for this answer was over before a model gave it.", "Allow more time.")

    async def _attempt(self, asking: Asking, route: Route) -> AsyncGenerator[ChatEvent]:
        stands_in = _stands_in(route, asking.failures, seam=False)
        if self._money is not None:
            await self._money.allow(route, asking.caller, estimated_tokens(asking.characters), asking.written)
        place = self._admission.admit(route)
        asking.asked[route.provider.name] += 1
        attempt = Attempt(route, asking.role, asking.caller, place, self._usage, asking.characters, stands_in)
        before = asking.said.text if asking.said.goes_on else ""
        with self.span(asking.role, route) as span:
            try:
                async with aclosing(asking.ask(route, before)) as events:
                    async for event in events:
                        attempt.saw(event)
                        if isinstance(event, Chosen):
                            for told in asking.introduce(event, route):
                                yield told
                            continue
                        asking.said.saw(event)
                        if isinstance(event, Finished):
                            event = await _paid(attempt, event)
                            span.set(input_tokens=event.input_tokens, output_tokens=event.output_tokens)
                        yield event
            except HearthError as error:
                attempt.failed(error)
                raise
            finally:
                attempt.abandoned()

    def span(self, role: Role, route: Route) -> Span | Untraced:
        """What a trace shows of an attempt."""
        return self._tracer.span(
            "model", role=role, model=route.model, provider=route.provider.name, where=route.provider.where
        )

    async def place(self, route: Route, caller: Caller, characters: int) -> Place:
        """A place for a call that has this one route, and writes nothing."""
        if self._money is not None:
            await self._money.allow(route, caller, estimated_tokens(characters), 0)
        return self._admission.admit(route)


async def _paid(attempt: Attempt, event: Finished) -> Finished:
    known = event.counted or attempt.route.provider.where != "cloud"
    price = await cost_of(attempt.route, event.input_tokens, event.output_tokens) if known else None
    attempt.finished(event.input_tokens, event.output_tokens, price)
    return replace(event, cost=price)


def passes(error: HearthError) -> bool:
    """Whether the same server may answer when it is asked again at once. Pure."""
    if not isinstance(error, ModelUnavailable | ModelFailed):
        return False
    data = error.data
    waits = "skipped" in data or "timed_out" in data or data.get("retry_after") is not None
    return not waits and data.get("server_status") not in _OUR_FAULT


def _introduced(event: Chosen, route: Route, failures: Sequence[tuple[Route, HearthError]], *, seam: bool) -> Chosen:
    """The first event, saying which model it stands in for, or whose words it goes on from."""
    instead_of, because = _stands_in(route, failures, seam=seam)
    return replace(
        event, test_model=event.test_model or route.test_model, instead_of=instead_of, because=because, seam=seam
    )


def _stands_in(route: Route, failures: Sequence[tuple[Route, HearthError]], *, seam: bool) -> tuple[str, str]:
    if not failures:
        return route.instead_of, route.because
    first, error = failures[-1 if seam else 0]
    return first.id, error.detail


def verdict(failures: Sequence[tuple[Route, HearthError]]) -> HearthError:
    """What a person is told when no route led to an answer. Pure."""
    broken = [error for _, error in failures if isinstance(error, ModelFailed)]
    if broken:  # something was shown: this is how it ended
        return broken[-1]
    if len(failures) == 1:
        return failures[0][1]
    details = " ".join(dict.fromkeys(error.detail for _, error in failures))
    fix = next((error.fix for _, error in failures if error.fix), "")
    return ModelUnavailable(f"No model answered. {details}", fix)
