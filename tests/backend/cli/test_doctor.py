import json
from pathlib import Path

import pytest

from hearth_shared import discovery
from hearth_shared.errors import PortInUse
from hearth_shared.paths import Home
from support.shell import hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration

CHECK = {"name": "disk", "state": "ok", "detail": "20 GB free.", "fix": ""}


def states(*arguments: str) -> dict[str, str]:
    return {check["name"]: check["state"] for check in json.loads(hearth("doctor", "--json", *arguments).out)["checks"]}


def test_it_works_without_a_backend_and_starts_none(hearth_home: Path) -> None:
    assert states() == {"home": "ok", "config": "ok", "backend": "warn"}
    assert hearth("doctor").status == 0
    assert discovery.holder(Home(hearth_home)) is None


def test_with_a_backend_it_tells_what_that_finds_too(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/doctor"] = lambda asked: {"ok": True, "checks": [CHECK]}
    outcome = hearth("doctor")
    assert outcome.status == 0
    assert "ok     disk  20 GB free.\n" in outcome.out
    assert outcome.out.endswith("All is well.\n")


def test_a_fault_is_said_with_its_fix_and_status_1(hearth_home: Path) -> None:
    (hearth_home / "config.toml").write_text("[server]\nprot = 1\n")
    outcome = hearth("doctor")
    assert outcome.status == 1
    assert "fault  config  There is no option `server.prot`" in outcome.out
    assert "hearth config docs" in outcome.out
    assert outcome.out.endswith("1 to mend.\n")


def test_the_last_failed_start_is_told(hearth_home: Path) -> None:
    home = Home(hearth_home)
    home.make()
    discovery.report_failure(home, PortInUse("Port 4747 is taken.", "Choose another."))
    outcome = hearth("doctor")
    assert outcome.status == 1
    assert "The last start failed: Port 4747 is taken." in outcome.out


def test_a_backend_that_is_not_ready_is_told(hearth_home: Path) -> None:
    with discovery.claim(Home(hearth_home)):
        assert states()["backend"] == "warn"


@pytest.mark.parametrize(("mode", "state"), [(0o600, "ok"), (0o666, "fault")])
def test_a_backend_that_does_not_let_us_in_is_looked_at_from_outside(
    backend: SmallBackend, mode: int, state: str
) -> None:
    backend.home.key("cli").write_text("wrong")
    backend.home.socket.chmod(mode)
    assert states() == {"door": "fault", "config": "ok", "socket": state}


def test_a_home_that_cannot_be_made_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEARTH_HOME", str(tmp_path / "file"))
    assert states() == {"home": "fault"}
