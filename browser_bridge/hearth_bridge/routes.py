"""What of the backend a browser can reach through the bridge: a short list, closed to everything else. Pure.

The backend checks the browser's scopes again; this list keeps what a browser never needs out of its reach even when a
scope would allow it.
"""

import re
from typing import Final

_ID: Final = r"(?!\.\.?(?:/|$))[A-Za-z0-9_.:\-]{1,128}"
_CALLS: Final[dict[str, tuple[str, ...]]] = {
    "GET": (
        "/v1/status",
        "/v1/agents",
        "/v1/threads",
        f"/v1/threads/{_ID}",
        "/v1/tasks",
        f"/v1/tasks/{_ID}",
        "/v1/approvals",
        rf"/v1/approvals/(?!rules(?:\?|$)){_ID}",
        "/v1/memory/search",
        "/v1/memory/episodes",
        "/v1/consents",
        "/v1/context",
    ),
    "POST": (
        "/v1/threads",
        f"/v1/threads/{_ID}/messages",
        f"/v1/threads/{_ID}/feedback",
        "/v1/memory/search",
        "/v1/memory/episodes",
        "/v1/memory/forget",
        "/v1/memory/restore",
        "/v1/context",
    ),
    "PUT": ("/v1/consents",),
    "DELETE": (f"/v1/tasks/{_ID}",),
}
_QUERY: Final = r"(?:\?[A-Za-z0-9_.~:=&%+\-]{0,4096})?"
_PATTERNS: Final = {
    method: re.compile(f"(?:{'|'.join(paths)}){_QUERY if method == 'GET' else ''}") for method, paths in _CALLS.items()
}
_STREAMS: Final = re.compile(f"/v1/events|/v1/tasks/{_ID}/events")
LIVE: Final = "/v1/events"
"""The stream that tells everything, for as long as somebody listens."""


def is_open(method: str, path: str) -> bool:
    """Whether a browser may call this."""
    pattern = _PATTERNS.get(method)
    return pattern is not None and pattern.fullmatch(path) is not None


def is_stream(path: str) -> bool:
    """Whether a browser may follow this."""
    return _STREAMS.fullmatch(path) is not None
