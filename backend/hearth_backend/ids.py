"""Random ids that say what they name."""

import os
import random
import secrets
import time
from typing import Final

_BYTES: Final = 10
_AT_ONCE: Final = 100  # asking the system costs more than everything else about an id
_ready: Final[list[str]] = []  # each is taken once, by whatever thread


def new(kind: str) -> str:
    """`kind`, the milliseconds now, and 80 random bits: unguessable, readable in a log, and in the order of making.

    An index takes what comes in order a page at a time; with random ids each row writes a page of its own.
    """
    try:
        bits = _ready.pop()
    except IndexError:
        bits = _more()
    return f"{kind}_{time.time_ns() // 1_000_000:011x}{bits}"


def _more() -> str:
    """Some at once from the system's source; one of them."""
    size = 2 * _BYTES
    text = secrets.token_hex(_BYTES * _AT_ONCE)
    first, *rest = (text[at : at + size] for at in range(0, len(text), size))
    _ready.extend(rest)
    return first


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ready.clear)  # or both would make the same ones


def passing(kind: str) -> str:
    """For what is only ever named in logs and traces, such as a request: unlike any other, but not unguessable, and
    without the system call that costs a request 10 µs."""
    return f"{kind}_{random.getrandbits(80):020x}"
