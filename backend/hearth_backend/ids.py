"""Random ids that say what they name."""

import random
import secrets
import time


def new(kind: str) -> str:
    """`kind`, the milliseconds now, and 80 random bits: unguessable, readable in a log, and in the order of making.

    An index takes what comes in order a page at a time; with random ids each row writes a page of its own.
    """
    return f"{kind}_{time.time_ns() // 1_000_000:011x}{secrets.token_hex(10)}"


def passing(kind: str) -> str:
    """For what is only ever named in logs and traces, such as a request: unlike any other, but not unguessable, and
    without the system call that costs a request 10 µs."""
    return f"{kind}_{random.getrandbits(80):020x}"
