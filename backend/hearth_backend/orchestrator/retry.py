"""Whether a run that failed is tried again, and when: by the class of what went wrong. Pure."""

from collections.abc import Callable
from typing import Final

from hearth_shared.errors import (
    Cancelled,
    DeadlineExceeded,
    HearthError,
    ModelFailed,
    ModelUnavailable,
    Overloaded,
    RateLimited,
    StorageFull,
)

_NEVER: Final = (Cancelled, DeadlineExceeded)
_FIRST_S: Final[tuple[tuple[type[HearthError], float], ...]] = (
    (StorageFull, 30.0),  # somebody has to make room
    (RateLimited, 15.0),
    (Overloaded, 5.0),
    (ModelUnavailable, 2.0),
    (ModelFailed, 1.0),
)
_OTHERS_S: Final = 2.0
_LONGEST_S: Final = 300.0
_JITTER: Final = 0.2


def pause_after(error: HearthError, attempt: int, attempts: int, dice: Callable[[], float]) -> float | None:
    """Seconds until the next attempt, twice as long each time; None when there is none. `dice` gives 0 to 1."""
    if not error.retryable or isinstance(error, _NEVER) or attempt >= attempts:
        return None
    first = next((seconds for kind, seconds in _FIRST_S if isinstance(error, kind)), _OTHERS_S)
    pause = min(_LONGEST_S, first * 2 ** (attempt - 1))
    return max(_told(error), pause * (1 + _JITTER * (2 * dice() - 1)))


def _told(error: HearthError) -> float:
    """What the other side asked for, within reason."""
    told = error.data.get("retry_after", 0)
    return min(float(told), 3600.0) if isinstance(told, int | float) else 0.0


def is_dead(error: HearthError) -> bool:
    """Whether trying again might still have helped a run that ends with this: it is set aside for a person."""
    return error.retryable and not isinstance(error, _NEVER)
