from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.gateway.server import resting_s

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("20", 20.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("1e400", None),
        ("nan", None),
        ("99999999", 86_400.0),
        (format_datetime(NOW.replace(minute=2), usegmt=True), 120.0),
        (format_datetime(NOW.replace(hour=11), usegmt=True), 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_both_forms_of_retry_after_are_read(header: str, seconds: float | None) -> None:
    assert resting_s(header, NOW.timestamp()) == seconds


@given(st.text(max_size=60))
def test_no_header_breaks_it(header: str) -> None:
    assert resting_s(header, 0.0) is None or 0.0 <= (resting_s(header, 0.0) or 0.0) <= 86_400.0
