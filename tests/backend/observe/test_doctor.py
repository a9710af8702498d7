"""Every check is performed, and one that breaks does not hide the others."""

import asyncio

import pytest

from hearth_backend.observe.doctor import Doctor
from hearth_shared.errors import StorageFault
from hearth_shared.protocol.status import Check

pytestmark = pytest.mark.unit


async def fine() -> Check:
    return Check(name="fine", state="ok", detail="It works.")


async def poor() -> Check:
    return Check(name="poor", state="warn", detail="It works, slowly.", fix="Wait.")


async def refused() -> Check:
    raise StorageFault("The database could not open.", "Look at the disk.")


async def broken() -> Check:
    raise KeyError("surprise")


async def endless() -> Check:
    await asyncio.Event().wait()
    raise AssertionError


async def test_all_is_well_when_no_check_finds_a_fault() -> None:
    report = await Doctor({"fine": fine, "poor": poor}).run()
    assert report.ok
    assert [check.name for check in report.checks] == ["fine", "poor"]


async def test_an_error_of_ours_is_a_fault_with_its_fix() -> None:
    report = await Doctor({"refused": refused, "fine": fine}).run()
    assert not report.ok
    assert report.checks[0] == Check(
        name="refused", state="fault", detail="The database could not open.", fix="Look at the disk."
    )
    assert report.checks[1].state == "ok"


@pytest.mark.logs("hearth_backend.observe.doctor")
async def test_a_check_that_breaks_is_a_fault_and_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    report = await Doctor({"broken": broken, "fine": fine}).run()
    assert [check.state for check in report.checks] == ["fault", "ok"]
    assert "KeyError" in report.checks[0].detail
    assert caplog.records[0].exc_info is not None


async def test_a_check_that_hangs_is_a_fault() -> None:
    report = await Doctor({"endless": endless}, limit_s=0.02).run()
    assert report.checks[0].state == "fault"
    assert "0.02 s" in report.checks[0].detail
