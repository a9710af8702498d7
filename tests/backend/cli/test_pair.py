import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from support.shell import hearth
from support.small_backend import Asked, Reply, SmallBackend

pytestmark = pytest.mark.integration

PATH = "/v1/clients/pairing"
OPEN = {"state": "open", "code": "482913", "expires_at": 1.0, "tries_left": 5, "port": 4748, "client": None}
PAIRED = {"name": "Chromium on Linux", "kind": "browser"}


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person with Firefox, whose programs are not seen."""
    folder = tmp_path / "user"
    (folder / ".mozilla" / "firefox").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("PATH", "")
    return folder


@pytest.fixture
def door(backend: SmallBackend) -> SmallBackend:
    backend.routes["POST", PATH] = lambda asked: OPEN
    backend.routes["DELETE", PATH] = lambda asked: ended("closed")
    return backend


def ended(state: str, client: dict[str, Any] | None = None) -> dict[str, Any]:
    return {**OPEN, "state": state, "code": "", "client": client}


def manifest(user: Path) -> Path:
    return user / ".mozilla" / "native-messaging-hosts" / "dev.hearth.host.json"


def test_the_code_is_shown_and_who_came(door: SmallBackend, user: Path) -> None:
    door.routes["GET", PATH] = lambda asked: ended("paired", PAIRED)
    outcome = hearth("pair", "browser")
    assert outcome.status == 0
    assert "482 913" in outcome.out
    assert "good for 10 minutes (bridge on port 4748)" in outcome.out
    assert outcome.out.endswith("Chromium on Linux is paired.\n")
    assert [(asked.method, asked.query) for asked in door.asked] == [("POST", {}), ("GET", {"wait": ["true"]})]


def test_the_browser_is_made_ready_to_pair_by_itself(door: SmallBackend, user: Path) -> None:
    door.routes["GET", PATH] = lambda asked: ended("paired", PAIRED)
    out = hearth("pair", "browser").out
    assert "Firefox  may pair by itself" in out
    host = Path(json.loads(manifest(user).read_text())["path"])
    assert host == door.home.root / "hearth-native-host"
    assert str(door.home.root) in host.read_text()
    assert json.loads((door.home.root / "extension" / "firefox" / "manifest.json").read_text())["name"] == "Hearth"
    assert "about:debugging" in out


def test_only_the_browsers_are_prepared_when_that_is_asked(door: SmallBackend, user: Path) -> None:
    outcome = hearth("pair", "browser", "--native")
    assert outcome.status == 0
    assert manifest(user).is_file()
    assert door.asked == []


def test_a_person_without_a_browser_types_the_code(
    door: SmallBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("PATH", "")
    door.routes["GET", PATH] = lambda asked: ended("paired", PAIRED)
    out = hearth("pair", "browser").out
    assert "No browser was found here" in out
    assert "type this code there" in out
    assert hearth("pair", "browser", "--native").status == 1


def test_a_manifest_that_cannot_be_written_does_not_keep_the_code_away(door: SmallBackend, user: Path) -> None:
    manifest(user).parent.write_text("in the way")
    door.routes["GET", PATH] = lambda asked: ended("paired", PAIRED)
    outcome = hearth("pair", "browser")
    assert outcome.status == 0
    assert "cannot be written" in outcome.err
    assert "482 913" in outcome.out


@pytest.mark.parametrize(
    ("state", "said"),
    [("expired", "Nobody typed the code in time."), ("closed", "too many wrong codes"), ("open", "took its place")],
)
def test_a_pairing_that_came_to_nothing_says_why(door: SmallBackend, user: Path, state: str, said: str) -> None:
    door.routes["GET", PATH] = lambda asked: ended(state)
    outcome = hearth("pair", "browser")
    assert outcome.status == 1
    assert said in outcome.err
    assert "hearth pair browser" in outcome.err


def test_ctrl_c_closes_the_pairing(door: SmallBackend, user: Path) -> None:
    def interrupted(asked: Asked) -> Reply:
        waiting = threading.main_thread().ident
        assert waiting is not None
        signal.pthread_kill(waiting, signal.SIGINT)
        return ended("closed")

    door.routes["GET", PATH] = interrupted
    outcome = hearth("pair", "browser")
    assert outcome.status == 130
    assert "good no more" in outcome.err
    assert door.asked[-1].method == "DELETE"
