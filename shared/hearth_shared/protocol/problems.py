"""RFC 9457 problems."""

from hearth_shared.protocol.base import Message


class Problem(Message):
    """What went wrong (`detail`), what to do (`fix`), and whether the same request may succeed later."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    fix: str = ""
    retryable: bool = False
