"""The W3C header is read strictly and written as it is read."""

import pytest

from hearth_backend.observe.traceparent import emit, is_trace_id, parse

pytestmark = pytest.mark.unit
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize("sampled", [True, False])
def test_what_is_written_is_read_again(sampled: bool) -> None:
    remote = parse(emit(TRACE, SPAN, sampled))
    assert remote is not None
    assert (remote.trace_id, remote.span_id, remote.sampled) == (TRACE, SPAN, sampled)


def test_a_later_version_with_more_fields_is_understood() -> None:
    remote = parse(f"01-{TRACE}-{SPAN}-01-more")
    assert remote is not None
    assert remote.trace_id == TRACE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01\n00",
    ],
)
def test_what_is_not_a_traceparent_is_no_parent(header: str) -> None:
    assert parse(header) is None


def test_a_bare_trace_id_is_known_by_its_shape() -> None:
    assert is_trace_id(TRACE)
    assert not is_trace_id("0" * 32)
    assert not is_trace_id(TRACE[:-1])
