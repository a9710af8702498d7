"""Which requests may be sent a second time when the first one's connection broke before its answer. Pure.

A backend that is being killed or replaced still takes connections for a moment, and answers none of them.
"""

from typing import Final

_QUESTIONS: Final = ("/v1/memory/search",)  # asked by POST, because a question may be long


def may_be_repeated(method: str, path: str, key: str) -> bool:
    """Whether a second request can do no harm: it only asks, or its Idempotency-Key makes both one."""
    return method == "GET" or bool(key) or (method == "POST" and path in _QUESTIONS)
