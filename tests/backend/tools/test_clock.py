from datetime import datetime, timedelta, timezone

import pytest

from hearth_backend.tools.clock import Clock, NoArguments, local_now
from hearth_backend.tools.tool import ToolContext

pytestmark = pytest.mark.unit

CONTEXT = ToolContext("run_1", "person", frozenset({"main"}), False)


async def test_it_tells_day_time_and_zone() -> None:
    there = timezone(timedelta(hours=1), "CET")
    result = await Clock(lambda: datetime(2026, 11, 20, 14, 3, tzinfo=there)).call(NoArguments(), CONTEXT)
    assert result.text == "Friday, 20 November 2026, 14:03 (CET, UTC+0100); ISO 2026-11-20T14:03+01:00"


def test_the_time_of_this_machine_has_its_zone() -> None:
    assert local_now().tzinfo is not None
