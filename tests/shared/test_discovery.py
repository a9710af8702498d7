import json
import os
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hearth_shared import __version__, discovery
from hearth_shared.discovery import Endpoint, PortDoor, SocketDoor, claim, ensure_backend, read_endpoint, stop_backend
from hearth_shared.errors import AlreadyRunning, BackendUnavailable, DeadlineExceeded, HomeError, PortInUse
from hearth_shared.paths import Home
from support import small_backend
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SMALL = (sys.executable, small_backend.__file__)


@pytest.fixture
def home(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home whose backend, if a test leaves one, is stopped."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(str(ROOT / folder) for folder in ("shared", "tests")))
    home = Home(hearth_home)
    yield home
    if discovery.holder(home) not in (None, os.getpid()):
        stop_backend(home)


def test_a_backend_is_started_once_and_found_again(home: Home) -> None:
    first = ensure_backend(home, command=SMALL)
    assert ensure_backend(home, command=("/nowhere",)) == first == read_endpoint(home)
    assert first.version == __version__


def test_it_lives_in_a_session_of_its_own(home: Home) -> None:
    assert os.getsid(ensure_backend(home, command=SMALL).pid) != os.getsid(0)


def test_doors_that_come_at_once_start_one_backend(home: Home) -> None:
    with ThreadPoolExecutor(4) as doors:
        coming = [doors.submit(ensure_backend, home, command=SMALL) for _ in range(4)]
    assert len({door.result() for door in coming}) == 1


def test_stopping_waits_until_it_has_ended(home: Home) -> None:
    ensure_backend(home, command=SMALL)
    assert stop_backend(home)
    assert discovery.holder(home) is None
    assert not stop_backend(home)


def test_an_older_backend_is_replaced(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_BACKEND_VERSION", "0.0.9")
    old = ensure_backend(home, command=SMALL)
    monkeypatch.delenv("SMALL_BACKEND_VERSION")
    new = ensure_backend(home, command=SMALL)
    assert (old.version, new.version) == ("0.0.9", __version__)
    assert old.pid != new.pid


def test_a_newer_backend_is_used_as_it_is(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_BACKEND_VERSION", "99.0")
    assert ensure_backend(home, command=SMALL) == ensure_backend(home, command=SMALL)


def test_what_a_killed_backend_left_behind_counts_for_nothing(home: Home) -> None:
    killed = ensure_backend(home, command=SMALL)
    os.kill(killed.pid, signal.SIGKILL)
    while discovery.holder(home) == killed.pid:
        pass
    assert home.endpoint.exists()
    assert read_endpoint(home) is None
    assert ensure_backend(home, command=SMALL).pid != killed.pid


def test_a_pid_that_does_not_hold_the_lock_is_never_signalled(home: Home) -> None:
    home.make()
    innocent = subprocess.Popen(["sleep", "60"])
    try:
        home.lock.write_text(str(innocent.pid))
        discovery.write_endpoint(home, Endpoint(innocent.pid, "0.0.1", "", None, 0.0))
        assert read_endpoint(home) is None
        assert not stop_backend(home)
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_a_backend_that_cannot_start_says_why(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_BACKEND", "fail")
    with pytest.raises(PortInUse, match="4747 is taken"):
        ensure_backend(home, command=SMALL)
    assert json.loads(home.startup_error.read_text())["code"] == "port_in_use"


def test_a_failure_in_a_home_that_cannot_be_written_is_no_second_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    discovery.report_failure(Home(tmp_path / "file"), HomeError("Hearth cannot use its folder."))


def test_the_reason_of_the_last_failure_goes_when_a_start_succeeds(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_BACKEND", "fail")
    with pytest.raises(PortInUse):
        ensure_backend(home, command=SMALL)
    monkeypatch.delenv("SMALL_BACKEND")
    ensure_backend(home, command=SMALL)
    assert not home.startup_error.exists()


def test_a_backend_that_dies_at_once_is_quoted(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALL_BACKEND", "crash")
    with pytest.raises(BackendUnavailable, match="the floor is gone"):
        ensure_backend(home, command=SMALL)


def test_a_backend_that_is_not_installed_is_said(home: Home) -> None:
    with pytest.raises(BackendUnavailable, match="No such file"):
        ensure_backend(home, command=("/nowhere/python",))


def test_a_backend_that_never_gets_ready_is_given_up(home: Home) -> None:
    with pytest.raises(BackendUnavailable, match="did not get ready"):
        ensure_backend(home, command=("sleep", "3"), limit=0.1)


def test_a_door_waits_for_a_backend_that_somebody_else_is_starting(home: Home) -> None:
    with claim(home), ThreadPoolExecutor(1) as door:
        waiting = door.submit(ensure_backend, home, command=("/nowhere",))
        endpoint = Endpoint(os.getpid(), __version__, str(home.socket), None, 1.0)
        discovery.write_endpoint(home, endpoint)
        assert waiting.result(timeout=30) == endpoint


def test_a_second_backend_is_refused_with_the_pid_of_the_first(home: Home) -> None:
    with claim(home), pytest.raises(AlreadyRunning, match=str(os.getpid())):
        claim(home)
    claim(home).close()


def test_somebody_looking_does_not_keep_a_backend_from_starting(home: Home) -> None:
    home.make()
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            discovery.holder(home)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for _ in range(50):
            claim(home).close()
    finally:
        ended.set()
        watcher.join()


def test_a_backend_that_does_not_end_is_named(home: Home) -> None:
    script = (
        "import signal, sys; from hearth_shared import discovery, paths; signal.signal(15, signal.SIG_IGN);"
        "discovery.claim(paths.find_home()); print(flush=True); signal.pause()"
    )
    deaf = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert deaf.stdout is not None
    try:
        deaf.stdout.readline()
        with pytest.raises(DeadlineExceeded, match=f"kill -9 {deaf.pid}"):
            stop_backend(home, limit=0.1)
    finally:
        deaf.kill()
        deaf.wait()
        deaf.stdout.close()


def test_a_home_that_cannot_be_written_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError):
        ensure_backend(Home(tmp_path / "file"), command=SMALL)


def test_a_file_that_a_killed_backend_left_is_not_the_one_that_is_starting(home: Home) -> None:
    with claim(home):
        discovery.write_endpoint(home, Endpoint(os.getpid() + 1, __version__, "", None, 0.0))
        assert read_endpoint(home) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', "null"])
def test_a_broken_endpoint_file_is_no_endpoint(home: Home, content: str) -> None:
    with claim(home):
        home.endpoint.write_text(content)
        assert read_endpoint(home) is None


@pytest.mark.parametrize(
    ("version", "older"),
    [("0.0.9", True), ("0.1.0", False), ("0.1.0+local", False), ("0.2", False), ("0.10.0", False), ("junk", True)],
)
def test_versions_are_compared_by_number(version: str, older: bool) -> None:
    assert discovery.is_older(version, "0.1.0") is older


def test_the_version_is_the_distributions() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


def test_the_files_in_run_are_private(home: Home) -> None:
    ensure_backend(home, command=SMALL)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (home.endpoint, home.lock, home.run))


def test_a_door_that_starts_nothing_says_how_to_start(home: Home) -> None:
    with pytest.raises(BackendUnavailable, match="hearth up"):
        SocketDoor(home, "cli", start=False).address()


def test_each_look_reads_the_key_of_the_present_backend(home: Home) -> None:
    door = SocketDoor(home, "cli", start=False)
    keys: set[str] = set()
    for _ in range(2):
        with SmallBackend(home):
            keys.add(door.address().key)
    assert len(keys) == 2


def test_a_key_never_shows(home: Home) -> None:
    assert "s3cret" not in repr(PortDoor(4747, "s3cret").address())


def test_importing_the_start_path_takes_no_third_party_package() -> None:
    code = (
        "import sys; import hearth_shared.wire, hearth_shared.paths, hearth_shared.discovery;"
        "print([m for m in ('pydantic', 'socket', 'subprocess', 'asyncio', 'dataclasses') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_where_the_bridge_listens_is_told_while_there_is_a_backend(home: Home) -> None:
    at = discovery.BridgeAt(4711, 4748)
    home.make()
    discovery.write_bridge(home, at)
    assert discovery.read_bridge(home) is None  # a killed backend left it
    with SmallBackend(home):
        assert discovery.read_bridge(home) == at
        assert home.bridge.stat().st_mode & 0o077 == 0
        home.bridge.write_text('{"pid": 1}')
        assert discovery.read_bridge(home) is None
        discovery.write_bridge(home, None)
        discovery.write_bridge(home, None)
        assert discovery.read_bridge(home) is None
