"""The guards of conftest.py are seen to bite: each runs in a pytest of its own over a test that breaks the rule."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import tools
from support.loopback import is_local

pytestmark = pytest.mark.integration

TESTS = Path(__file__).parent
BAD = """
import logging, os, socket
import pytest
from support.tools import need

pytestmark = pytest.mark.unit

def test_warns():
    logging.getLogger("somebody").warning("look here")

@pytest.mark.logs("somebody")
def test_warns_as_announced():
    logging.getLogger("somebody.below").warning("look here")

def test_reaches_out():
    try:
        socket.create_connection(("192.0.2.1", 9), timeout=1)
    except OSError:
        pass

def test_looks_up_a_name():
    try:
        socket.getaddrinfo("example.invalid", 80)
    except OSError:
        pass

def test_stays_here():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()

def test_sees_a_clean_environment():
    assert "OPENAI_API_KEY" not in os.environ and "HEARTH_SERVER__PORT" not in os.environ
    assert os.environ["HEARTH_HOME"] != "/somewhere/real"

def test_needs_git():
    need("git")
"""


def guarded(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run pytest over the folder with the guards of this repository."""
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  logs: announces\n  setup: installs\n  unit: quick\n")
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "-rA", "--tb=no", "-q", "."]
    env = {"PATH": str(folder), "PYTHONPATH": str(TESTS), "CI": "true", "TMPDIR": str(folder), "HOME": str(folder)}
    env |= {"OPENAI_API_KEY": "sk-real", "HEARTH_SERVER__PORT": "1", "HEARTH_HOME": "/somewhere/real"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The outcome of each test above, run as in CI on a machine without git."""
    folder = tmp_path_factory.mktemp("guards")
    (folder / "test_bad.py").write_text(BAD)
    done = guarded(folder)
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        outcome, _, rest = line.partition(" ")
        if rest.startswith("test_bad.py::"):
            name = rest.split("::")[1].split()[0]
            found[name] = "failed" if outcome in ("FAILED", "ERROR") else found.get(name, outcome.lower())
    assert found, done.stdout + done.stderr
    return found


@pytest.mark.parametrize("name", ["test_warns", "test_reaches_out", "test_looks_up_a_name", "test_needs_git"])
def test_a_broken_rule_fails(name: str, outcomes: dict[str, str]) -> None:
    assert outcomes[name] == "failed"


@pytest.mark.parametrize("name", ["test_warns_as_announced", "test_stays_here", "test_sees_a_clean_environment"])
def test_a_kept_rule_passes(name: str, outcomes: dict[str, str]) -> None:
    assert outcomes[name] == "passed"


@pytest.mark.parametrize("marks", ["", "@pytest.mark.unit\n@pytest.mark.setup\n"])
def test_a_test_of_no_tier_or_of_two_stops_the_run(marks: str, tmp_path: Path) -> None:
    (tmp_path / "test_astray.py").write_text(f"import pytest\n{marks}def test_it() -> None: ...\n")
    done = guarded(tmp_path)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "test_astray.py::test_it" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("reason", "ci", "fails"),
    [("Skipped: needs git", True, True), ("Skipped: needs git", False, False), ("Skipped: needs a GPU", True, False)],
)
def test_only_a_skip_for_a_checked_tool_fails_and_only_in_ci(reason: str, ci: bool, fails: bool) -> None:
    assert tools.must_not_skip(reason, ci=ci) is fails


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "0.0.0.0", ""])
def test_this_machine_may_be_reached(host: str) -> None:
    assert is_local(2, (host, 80))


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "example.com", "169.254.169.254", "fe80::1%eth0"])
def test_others_may_not(host: str) -> None:
    assert not is_local(2, (host, 80))


def test_the_home_of_a_test_is_its_own(hearth_home: Path) -> None:
    assert Path(os.environ["HEARTH_HOME"]) == hearth_home
    assert not list(hearth_home.iterdir())
