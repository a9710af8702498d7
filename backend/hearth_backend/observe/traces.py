"""Where a request's time goes: spans by OpenTelemetry's model, kept on this machine.

Made by hand because the SDK costs 50 ms of start-up and some 17 µs a span; it is loaded only to export over OTLP
(otlp.py), when the person names a collector.
"""

import random
from typing import TYPE_CHECKING

from hearth_backend.observe import traceparent
from hearth_backend.observe.span_log import SpanLog
from hearth_backend.observe.spans import Attribute, Span, Untraced, current, new_id
from hearth_backend.observe.store import Writable
from hearth_shared.settings import Observe

if TYPE_CHECKING:
    from hearth_backend.observe.span_log import Collector

ALWAYS = frozenset({"run", "model", "tool"})


class Tracer:
    """Makes spans. Runs, model calls and tool calls are always kept, plain requests by the setting's share.

    A span belongs to the one around it, over `await` and in tasks started inside it. Without a database, spans are
    timed and forgotten.
    """

    def __init__(self, database: Writable | None = None, settings: Observe | None = None) -> None:
        settings = settings or Observe()
        self._share = settings.sample
        self._log = SpanLog(database, _collector(settings.otlp_url), keep_days=settings.keep_days)

    def span(self, name: str, *, parent: str = "", **attributes: Attribute) -> Span | Untraced:
        """`with tracer.span("tool", tool="clock") as span: …`.

        Names whose first word (up to a dot) is run, model or tool are always kept. `parent`, a `traceparent` header
        or a bare trace id, counts where no span is around. Attributes are ids, names and numbers: any other text is
        left out when it is stored.
        """
        around = current.get()
        if around is None:
            return self._outermost(name, parent, attributes)
        if isinstance(around, Span):
            return Span(self._log.add, name, around.trace_id, around.span_id, attributes)
        if _always(name):
            return Span(self._log.add, name, around.trace_id, None, attributes)
        return Untraced(around)

    def current(self) -> Span | Untraced | None:
        """The span around the caller; its `trace_id` and `traceparent` go where the work goes on."""
        return current.get()

    async def flush(self) -> None:
        """Write what waits, now."""
        await self._log.flush()

    async def close(self) -> None:
        """Write what waits; nothing is kept afterwards."""
        await self._log.close()

    def _outermost(self, name: str, parent: str, attributes: dict[str, Attribute]) -> Span | Untraced:
        trace_id, span_id, sampled = self._origin(parent)
        if sampled or _always(name):
            return Span(self._log.add, name, trace_id or new_id(128), span_id, attributes)
        return Untraced(None, trace_id)

    def _origin(self, parent: str) -> tuple[str, str | None, bool]:
        if not parent:
            return "", None, random.random() < self._share
        if remote := traceparent.parse(parent):
            return remote.trace_id, remote.span_id, remote.sampled
        trace_id = parent if traceparent.is_trace_id(parent) else ""
        return trace_id, None, random.random() < self._share


def _always(name: str) -> bool:
    return name.partition(".")[0] in ALWAYS


def _collector(url: str) -> "Collector | None":
    if not url:
        return None
    from hearth_backend.observe.otlp import Otlp  # the SDK: 120 ms that only its users pay

    return Otlp(url)
