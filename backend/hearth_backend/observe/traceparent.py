"""The W3C `traceparent` header: text in, ids out (https://www.w3.org/TR/trace-context/)."""

import re
from dataclasses import dataclass

_SHAPE = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_TRACE = re.compile(r"[0-9a-f]{32}", re.ASCII)
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


@dataclass(frozen=True, slots=True)
class Remote:
    """A span of somebody else that ours continue."""

    trace_id: str
    span_id: str
    sampled: bool


def parse(header: str) -> Remote | None:
    """None when the header is not one: a trace then begins here, and nobody is told off."""
    found = _SHAPE.fullmatch(header.strip())
    if found is None:
        return None
    trace_id, span_id, flags, more = found.groups()
    if trace_id == _NO_TRACE or span_id == _NO_SPAN or (header.startswith("00") and more):
        return None
    return Remote(trace_id, span_id, bool(int(flags, 16) & 1))


def emit(trace_id: str, span_id: str, sampled: bool) -> str:
    """The header for a span of ours."""
    return f"00-{trace_id}-{span_id}-{'01' if sampled else '00'}"


def is_trace_id(text: str) -> bool:
    """Whether `text` is a bare trace id."""
    return bool(_TRACE.fullmatch(text)) and text != _NO_TRACE
