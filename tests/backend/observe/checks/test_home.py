"""The folder is written to, looked at from outside, and measured."""

import os
from pathlib import Path

import pytest

from hearth_backend.observe.checks import home as checks
from hearth_shared.paths import Home

pytestmark = pytest.mark.integration


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "h")
    made.make()
    return made


async def test_a_private_writable_home_is_ok_and_left_as_it_was(home: Home) -> None:
    before = sorted(home.root.rglob("*"))
    assert (await checks.folders(home)).state == "ok"
    assert sorted(home.root.rglob("*")) == before


async def test_a_missing_folder_is_a_fault(home: Home) -> None:
    home.models.rmdir()
    check = await checks.folders(home)
    assert check.state == "fault"
    assert str(home.models) in check.detail


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_read_only_folder_is_a_fault(home: Home) -> None:
    home.data.chmod(0o500)
    assert (await checks.folders(home)).state == "fault"


async def test_a_folder_that_others_can_enter_is_a_fault_with_the_command(home: Home) -> None:
    home.run.chmod(0o755)
    check = await checks.folders(home)
    assert check.state == "fault"
    assert f"chmod 700 {home.run}" in check.fix


@pytest.mark.parametrize(("warn", "fault", "state"), [(0, 0, "ok"), (1 << 62, 0, "warn"), (1 << 62, 1 << 62, "fault")])
async def test_room_on_the_disk_is_ok_low_or_gone(home: Home, warn: int, fault: int, state: str) -> None:
    check = await checks.disk(home.data, warn_below=warn, fault_below=fault)
    assert check.state == state
    assert "GB free" in check.detail


async def test_a_disk_that_cannot_be_looked_at_is_a_fault(home: Home) -> None:
    assert (await checks.disk(home.root / "absent")).state == "fault"


async def test_no_config_is_ok(home: Home) -> None:
    assert (await checks.config(home.config)).state == "ok"


async def test_a_good_config_is_ok(home: Home) -> None:
    home.config.write_text("[server]\nport = 4800\n")
    assert (await checks.config(home.config)).state == "ok"


@pytest.mark.parametrize("text", ["[server]\nprot = 1\n", "[server\n", "[server]\nport = 'x'\n"])
async def test_a_config_that_the_next_start_would_refuse_is_a_fault(home: Home, text: str) -> None:
    home.config.write_text(text)
    check = await checks.config(home.config)
    assert check.state == "fault"
    assert check.fix


async def test_a_log_folder_that_takes_lines_is_ok(home: Home) -> None:
    (home.logs / "hearth.log").write_text("x" * 2_000_000)
    check = await checks.logs(home.logs)
    assert (check.state, check.detail) == ("ok", f"2.0 MB in {home.logs}.")


async def test_a_log_folder_that_is_gone_is_a_fault(home: Home) -> None:
    home.logs.rmdir()
    assert (await checks.logs(home.logs)).state == "fault"
