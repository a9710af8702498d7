"""How a conversation that is too long is shortened: whole turns go, the oldest first. Pure.

What the system says at its beginning stays. It is cut at the borders of messages and never within one: half a message
means something else than the whole.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

Message = Mapping[str, Any]
Made = TypeVar("Made")
_SYSTEM = ("system", "developer")


def shortened(messages: Sequence[Message], made: Callable[[Sequence[Message]], Made | None]) -> tuple[Made, int] | None:
    """What `made` makes of as much of the conversation's end as it takes, and how many messages were left out.

    `made` answers None for what is too long; it is asked about few lengths. None when not even the last turn fits.
    """
    head, rest = _parts(messages)
    starts, best = _starts(rest), None
    low, high = 0, len(starts)
    while low < high:
        middle = (low + high) // 2
        found = made([*head, *rest[starts[middle] :]])
        if found is None:
            low = middle + 1
        else:
            best, high = (found, starts[middle]), middle
    return best


def last_turn(messages: Sequence[Message]) -> list[Message]:
    """The shortest that a conversation can be made."""
    head, rest = _parts(messages)
    return [*head, *rest[max(_starts(rest), default=0) :]]


def _parts(messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    head = list(itertools.takewhile(lambda message: message.get("role") in _SYSTEM, messages))
    return head, list(messages[len(head) :])


def _starts(rest: Sequence[Message]) -> list[int]:
    """Where a shorter conversation may begin: with what somebody said, so that no tool's answer lacks its call."""
    return [at for at, message in enumerate(rest) if message.get("role") == "user" and at]
