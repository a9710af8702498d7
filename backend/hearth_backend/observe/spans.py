"""A span: one piece of work, timed, with the ids that OpenTelemetry and W3C Trace Context give it."""

import random
import time
from collections.abc import Callable
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Final

from hearth_backend.observe import traceparent

Attribute = str | int | float | bool
current: ContextVar["Span | Untraced | None"] = ContextVar("hearth_span", default=None)


class Span:
    """Work that is kept; a context manager, also around `await`. `keep` receives it when it ends."""

    __slots__ = (
        "_began",
        "_keep",
        "_token",
        "attributes",
        "error",
        "ms",
        "name",
        "parent_id",
        "span_id",
        "started",
        "trace_id",
    )
    sampled: Final = True

    def __init__(
        self,
        keep: Callable[["Span"], None],
        name: str,
        trace_id: str,
        parent_id: str | None,
        attributes: dict[str, Attribute],
    ) -> None:
        self._keep = keep
        self.name = name
        self.trace_id = trace_id
        self.span_id = new_id(64)
        self.parent_id = parent_id
        self.attributes = attributes
        self.error = ""

    @property
    def traceparent(self) -> str:
        """What to send along so that another program's spans continue this one."""
        return traceparent.emit(self.trace_id, self.span_id, True)

    def set(self, **attributes: Attribute) -> None:
        """Add what became known on the way: ids, names and numbers, never content."""
        self.attributes.update(attributes)

    def fail(self, code: str) -> None:
        """Mark it as failed; an exception that passes through does so by itself."""
        self.error = code

    def __enter__(self) -> "Span":
        self._token: Token[Span | Untraced | None] = current.set(self)
        self.started = time.time()
        self._began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ms = (time.perf_counter() - self._began) * 1000
        _leave(self._token)
        if kind is not None and not self.error and kind is not GeneratorExit:
            self.error = str(getattr(error, "code", "")) or kind.__name__
        self._keep(self)


class Untraced:
    """Work that was not sampled: it only holds the trace together for the spans that are always kept."""

    __slots__ = ("_around", "_token", "_trace_id")
    sampled: Final = False

    def __init__(self, around: "Untraced | None" = None, trace_id: str = "") -> None:
        self._around = around
        self._trace_id = trace_id

    @property
    def trace_id(self) -> str:
        """Made when first asked for: most requests never are."""
        if not self._trace_id:
            self._trace_id = new_id(128) if self._around is None else self._around.trace_id
        return self._trace_id

    @property
    def traceparent(self) -> str:
        """What to send along: the same trace, not sampled."""
        return traceparent.emit(self.trace_id, new_id(64), False)

    def set(self, **attributes: Attribute) -> None:
        """Nothing is kept."""

    def fail(self, code: str) -> None:
        """Nothing is kept."""

    def __enter__(self) -> "Untraced":
        self._token: Token[Span | Untraced | None] = current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _leave(self._token)


def new_id(bits: int) -> str:
    """A random id in lower-case hex, never all zeros."""
    return f"{random.getrandbits(bits) or 1:0{bits // 4}x}"


def _leave(token: Token["Span | Untraced | None"]) -> None:
    try:  # noqa: SIM105  # contextlib.suppress would cost each request a microsecond
        current.reset(token)
    except ValueError:
        pass  # an async generator may be closed in another context than it ran in: it has no span to go back to
