"""What keeps a slow or broken neighbour from taking the rest down: retry and its budget, breaker, bucket."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")
Clock = Callable[[], float]
LONGEST_S = 300.0
"""The longest that a neighbour is left alone before it is tried again, whatever it asks for."""


class TokenBucket:
    """`rate` tokens a second, at most `burst` at once. `clock` is monotonic."""

    __slots__ = ("_at", "_burst", "_clock", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, clock: Clock) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._at = burst, clock()

    def take(self, tokens: float = 1.0) -> float:
        """0.0 when taken, else the seconds until it could be; nothing is taken then."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._tokens >= tokens:
            self._tokens -= tokens
            return 0.0
        return (tokens - self._tokens) / self._rate


class RetryBudget:
    """Lets one try in ten be a second one: each request earns a tenth of a retry, and `most` may be saved up. A
    neighbour that is down then gets a tenth more traffic, not twice as much."""

    _PRICE = 10

    def __init__(self, most: int = 10) -> None:
        self._most, self._saved = most * self._PRICE, 0

    def asked(self) -> None:
        """A request came."""
        self._saved = min(self._most, self._saved + 1)

    def spend(self) -> bool:
        """Whether something may be tried once more; it is counted when it may."""
        if self._saved < self._PRICE:
            return False
        self._saved -= self._PRICE
        return True


class Breaker:
    """Leaves a failing neighbour alone: open after `failures` in a row within `within_s`, for `open_s`; then exactly
    one probe, and twice as long (to `ceiling_s`) when that fails too. One success closes it.

    Every True of `admit` must be answered by one of `succeeded`, `failed` or `released`: a cancelled call proves
    nothing, and must not keep the probe's place.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        failures: int = 5,
        within_s: float = 30.0,
        open_s: float = 30.0,
        ceiling_s: float = LONGEST_S,
    ) -> None:
        self._clock = clock
        self._within_s, self._open_s, self._ceiling_s = within_s, open_s, ceiling_s
        self._recent: deque[float] = deque(maxlen=failures)
        self._wait_s, self._until = open_s, 0.0
        self._open = self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether calls are being kept away."""
        return self._open

    @property
    def seconds_left(self) -> float:
        """Until the next call may find out whether it works again."""
        return max(0.0, self._until - self._clock()) if self._open else 0.0

    def admit(self) -> bool:
        """Whether a call may go ahead now; while open, one at a time may find out whether it works again."""
        if not self._open:
            return True
        if self._probing or self._clock() < self._until:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """The call worked."""
        self._recent.clear()
        self._wait_s = self._open_s
        self._open = self._probing = False

    def failed(self) -> None:
        """The call failed by the neighbour's fault."""
        now = self._clock()
        self._recent.append(now)
        often = len(self._recent) == self._recent.maxlen and now - self._recent[0] <= self._within_s
        if self._probing or often:
            self._shut(self._wait_s)
            self._wait_s = min(self._ceiling_s, self._wait_s * 2)

    def rest(self, seconds: float) -> None:
        """The neighbour asked to be left alone for so long (Retry-After); more than the ceiling is not granted."""
        self._shut(min(max(seconds, 0.0), self._ceiling_s))

    def released(self) -> None:
        """The call told nothing: it was cancelled, or refused for the caller's own mistake."""
        self._probing = False

    def _shut(self, seconds: float) -> None:
        self._open, self._probing = True, False
        self._until = self._clock() + seconds


async def retried(
    body: Callable[[], Awaitable[Result]],
    *,
    on: type[Exception] | tuple[type[Exception], ...],
    attempts: int = 3,
    within_s: float = 5.0,
) -> Result:
    """The result of `body`, tried again with jitter on errors of `on`, for Hearth's own I/O that may be repeated."""
    import stamina  # 35 ms that a start need not pay

    async for attempt in stamina.retry_context(on=on, attempts=attempts, timeout=within_s, wait_initial=0.05):
        with attempt:
            return await body()
    raise AssertionError("stamina either returns or raises")  # for the type checker
