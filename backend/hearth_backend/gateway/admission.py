"""Whether a route may be asked now: it is not left alone, not asked too often, and not by too many at once."""

from collections import Counter

from hearth_backend.gateway.policy import Route
from hearth_backend.gateway.remote import Remote
from hearth_backend.resilience import Breaker, Clock, TokenBucket
from hearth_shared.errors import ModelUnavailable

_MINUTE_S = 60.0


class Place:
    """One call's leave to ask a route. Exactly one of its words ends it; a second one does nothing."""

    __slots__ = ("_breaker", "_busy", "_name", "_over")

    def __init__(self, breaker: Breaker, busy: Counter[str], name: str) -> None:
        self._breaker, self._busy, self._name = breaker, busy, name
        self._over = False
        busy[name] += 1

    def succeeded(self) -> None:
        """The call worked."""
        if self._left():
            self._breaker.succeeded()

    def failed(self) -> None:
        """The call failed by the server's fault."""
        if self._left():
            self._breaker.failed()

    def rest(self, seconds: float) -> None:
        """The server asked to be left alone."""
        if self._left():
            self._breaker.rest(seconds)

    def released(self) -> None:
        """The call told nothing about the server."""
        if self._left():
            self._breaker.released()

    def _left(self) -> bool:
        if self._over:
            return False
        self._over = True
        self._busy[self._name] -= 1
        return True


class Admission:
    """A breaker for each provider and model; the limits of the settings for each provider."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}
        self._buckets: dict[str, TokenBucket] = {}
        self._busy: Counter[str] = Counter()

    def admit(self, route: Route) -> Place:
        """A place at the route. Raises ModelUnavailable, marked `skipped`, when it may not be asked now."""
        name = route.provider.name
        if isinstance(route.provider, Remote):
            self._within_limits(route, route.provider)
        breaker = self._breakers.setdefault(f"{name}/{route.model}", Breaker(self._clock))
        if not breaker.admit():
            seconds = max(1, round(breaker.seconds_left))
            raise ModelUnavailable(f"{route.id} is left alone for {seconds} s because it kept failing.", skipped=True)
        return Place(breaker, self._busy, name)

    def _within_limits(self, route: Route, provider: Remote) -> None:
        name, at_once, per_minute = provider.name, provider.settings.at_once, provider.settings.per_minute
        if at_once and self._busy[name] >= at_once:
            detail = f"{name} answers as many calls as `providers.{name}.at_once` lets it ({at_once})."
            raise ModelUnavailable(detail, "Ask again in a moment.", skipped=True)
        if per_minute:
            new = TokenBucket(per_minute / _MINUTE_S, per_minute, self._clock)
            if seconds := self._buckets.setdefault(name, new).take():
                detail = f"{name} was asked as often as `providers.{name}.per_minute` lets it ({per_minute})."
                raise ModelUnavailable(detail, f"Ask again in {max(1, round(seconds))} s.", skipped=True)
