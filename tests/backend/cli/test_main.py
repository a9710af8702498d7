import os
import subprocess
import sys
from pathlib import Path

import pytest

from hearth_backend.cli.desk import Up
from support.shell import SCRIPT, hearth
from support.small_backend import Asked, Reply, SmallBackend

pytestmark = pytest.mark.integration


def test_up_gets_what_was_asked_for(hearth_home: Path) -> None:
    asked: list[Up] = []
    assert hearth("up", "--headless", "--port", "0", "--keep", asked_up=asked).status == 0
    assert asked == [Up(headless=True, port=0, keep=True)]


def test_a_failure_is_a_sentence_on_stderr_and_status_1(hearth_home: Path) -> None:
    outcome = hearth("status")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == "hearth: Hearth is not running. Start it: `hearth up`, or ask something.\n"


def test_a_home_that_cannot_be_is_a_sentence_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEARTH_HOME", str(tmp_path / "file" / "home"))
    outcome = hearth("ask", "hi")
    assert outcome.status == 1
    assert "HEARTH_HOME" in outcome.err


def test_a_fault_of_our_own_is_kept_and_not_shown_as_a_traceback(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/usage"] = lambda asked: {"nonsense": 1}
    outcome = hearth("usage")
    assert outcome.status == 1
    assert "Traceback" not in outcome.err
    kept = backend.home.logs / "cli-fault.txt"
    assert str(kept) in outcome.err
    assert "Traceback" in kept.read_text()


def test_ctrl_c_ends_with_130_and_no_traceback(backend: SmallBackend) -> None:
    def interrupted(asked: Asked) -> Reply:
        os.kill(process.pid, 2)
        return {"keys": []}

    backend.routes["GET", "/v1/keys"] = interrupted
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "keys", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_reader_that_leaves_is_no_fault(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/usage"] = lambda asked: {"rows": [], "totals": [{"text": "x" * 1_000_000}]}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "usage", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 1
    assert err == b""


def test_one_verb_does_not_load_what_it_does_not_need(backend: SmallBackend) -> None:
    code = (
        "import sys; from hearth_backend.cli.main import main; main(['keys', 'list'], up=lambda how: 0);"
        "print([m for m in ('pydantic', 'asyncio', 'logging', 'subprocess') if m in sys.modules])"
    )
    backend.routes["GET", "/v1/keys"] = lambda asked: {"keys": []}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
