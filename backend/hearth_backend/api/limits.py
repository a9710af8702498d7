"""How much a principal may ask: token buckets, and the number of model requests at once."""

import contextlib
from collections.abc import Generator
from typing import Final

from hearth_backend.api.principals import Principal
from hearth_backend.resilience import Clock, TokenBucket
from hearth_shared.errors import Overloaded, RateLimited
from hearth_shared.settings import Server

_FORGET_ABOVE: Final = 4096


class Limits:
    """A bucket for each first-party door and each token; a token's completion calls have a second one."""

    def __init__(self, settings: Server, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._buckets: dict[tuple[str, bool], TokenBucket] = {}

    def take(self, principal: Principal, *, completion: bool) -> None:
        """Take one request from the principal's bucket, or raise RateLimited with the seconds to wait."""
        key = (principal.name, completion and not principal.is_first_party)
        bucket = self._buckets.get(key) or self._new(key, principal)
        if wait := bucket.take():
            raise RateLimited(
                "Too many requests.", f"Try again in {max(1, round(wait))} s, and ask less often.", retry_after=wait
            )

    def _new(self, key: tuple[str, bool], principal: Principal) -> TokenBucket:
        if len(self._buckets) >= _FORGET_ABOVE:
            self._buckets.clear()
        options = self._settings
        if principal.is_first_party:
            rate, burst = float(options.first_party_per_second), options.first_party_burst
        elif key[1]:
            rate, burst = float(options.completions_per_second), 2 * options.completions_per_second
        else:
            rate, burst = options.third_party_per_minute / 60, options.third_party_burst
        bucket = self._buckets[key] = TokenBucket(rate, burst, self._clock)
        return bucket


class ModelSlots:
    """So many model requests at once, and no more."""

    def __init__(self, count: int) -> None:
        self._free = count

    @contextlib.contextmanager
    def one(self) -> Generator[None]:
        """Hold a slot, or raise Overloaded."""
        if self._free <= 0:
            raise Overloaded("Too many model requests run at once.", "Try again in a few seconds.", retry_after=2)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
