"""Which work is kept, and under which parent."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hearth_backend.observe.spans import Span, Untraced
from hearth_backend.observe.traces import Tracer
from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations.telemetry import MIGRATIONS
from hearth_shared.settings import Observe

pytestmark = pytest.mark.integration
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
async def telemetry(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "telemetry.db", MIGRATIONS, synchronous="NORMAL")
    yield database
    await database.close()


def never(database: Database | None = None) -> Tracer:
    return Tracer(database, Observe(sample=0))


def always(database: Database | None = None) -> Tracer:
    return Tracer(database, Observe(sample=1))


def test_a_plain_request_is_kept_by_the_share_that_is_set() -> None:
    assert isinstance(always().span("http"), Span)
    assert isinstance(never().span("http"), Untraced)


@pytest.mark.parametrize("name", ["run", "model", "tool", "model.chat"])
def test_runs_models_and_tools_are_always_kept(name: str) -> None:
    assert isinstance(never().span(name), Span)


def test_a_span_is_the_child_of_the_one_around_it() -> None:
    tracer = always()
    with tracer.span("http") as outer, tracer.span("recall") as inner:
        assert isinstance(outer, Span)
        assert isinstance(inner, Span)
        assert (inner.trace_id, inner.parent_id) == (outer.trace_id, outer.span_id)


def test_what_is_inside_an_unsampled_request_is_not_kept_either() -> None:
    tracer = never()
    with tracer.span("http"):
        assert isinstance(tracer.span("recall"), Untraced)


def test_a_model_call_inside_an_unsampled_request_joins_its_trace() -> None:
    tracer = never()
    with tracer.span("http") as request, tracer.span("model") as call:
        assert isinstance(call, Span)
        assert call.trace_id == request.trace_id
        assert call.parent_id is None


def test_a_callers_trace_goes_on() -> None:
    span = never().span("http", parent=f"00-{TRACE}-{PARENT}-01")
    assert isinstance(span, Span)
    assert (span.trace_id, span.parent_id) == (TRACE, PARENT)


def test_a_caller_that_does_not_sample_is_heeded_but_for_what_is_always_kept() -> None:
    tracer = always()
    with tracer.span("http", parent=f"00-{TRACE}-{PARENT}-00") as request, tracer.span("model") as call:
        assert isinstance(request, Untraced)
        assert isinstance(call, Span)
        assert call.trace_id == TRACE


def test_a_run_goes_on_in_the_trace_it_was_made_in() -> None:
    span = never().span("run", parent=TRACE)
    assert isinstance(span, Span)
    assert (span.trace_id, span.parent_id) == (TRACE, None)


def test_a_header_that_is_none_begins_a_trace() -> None:
    span = always().span("http", parent="nonsense")
    assert isinstance(span, Span)
    assert span.trace_id != "nonsense"


def test_the_current_span_tells_what_to_send_along() -> None:
    tracer = always()
    assert tracer.current() is None
    with tracer.span("http") as span:
        now = tracer.current()
        assert now is span
        assert span.traceparent == f"00-{span.trace_id}-{span.span_id}-01" if isinstance(span, Span) else False


async def test_kept_spans_stand_in_telemetry_with_their_place_and_outcome(telemetry: Database) -> None:
    tracer = always(telemetry)
    request = tracer.span("http", route="/v1/tasks/{task_id}", status=200)
    with request, pytest.raises(KeyError), tracer.span("tool", tool="clock"):
        raise KeyError
    await tracer.close()
    rows = {row["name"]: dict(row) for row in await telemetry.fetch("select * from span")}
    assert isinstance(request, Span)
    assert rows["http"]["attributes"] == '{"route":"/v1/tasks/{task_id}","status":200}'
    assert rows["http"]["ok"] == 1
    assert rows["tool"]["parent_id"] == request.span_id
    assert rows["tool"]["ok"] == 0
    assert '"error":"KeyError"' in rows["tool"]["attributes"]


async def test_without_a_database_spans_are_made_and_forgotten() -> None:
    tracer = always()
    with tracer.span("http"):
        pass
    await tracer.close()
