import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearth_shared import discovery
from hearth_shared.paths import Home
from support import small_backend
from support.shell import ROOT, hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration

STATUS = {
    "state": "needs you",
    "version": "0.1.0",
    "home": "/h",
    "uptime_s": 200.0,
    "models": [{"id": "tiny", "provider": "engine", "where": "this machine", "roles": ["chat"]}],
    "lanes": {"chat": 1, "ambient": 0},
    "memory": {"episodes": 12},
    "approvals_pending": 2,
    "doors": {"http": "http://127.0.0.1:4747"},
    "components": [
        {"name": "storage", "state": "ok", "detail": "", "fix": ""},
        {"name": "keyring", "state": "warn", "detail": "There is none.", "fix": "Install one."},
    ],
}


def test_status_says_at_a_glance_what_there_is_and_what_is_wrong(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/status"] = lambda asked: STATUS
    out = hearth("status").out
    assert out.startswith("Hearth needs you  ·  version 0.1.0, up for 3 min\n")
    for part in ("tiny (this machine)", "http://127.0.0.1:4747", "12", "2 waiting for your decision", "Install one."):
        assert part in out
    assert "storage" not in out


def test_status_for_a_program_is_what_the_backend_said(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/status"] = lambda asked: STATUS
    assert json.loads(hearth("status", "--json").out) == STATUS


def test_without_a_language_model_status_says_so(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/status"] = lambda asked: {**STATUS, "models": []}
    assert "no language model connected" in hearth("status").out


def test_status_starts_nothing(hearth_home: Path) -> None:
    assert hearth("status").status == 1
    assert discovery.holder(Home(hearth_home)) is None


@pytest.fixture
def running(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[discovery.Endpoint]:
    """A backend in a process of its own."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(str(ROOT / folder) for folder in ("shared", "tests")))
    home = Home(hearth_home)
    yield discovery.ensure_backend(home, command=(sys.executable, small_backend.__file__))
    discovery.stop_backend(home)


def test_down_stops_it_and_down_again_is_no_failure(running: discovery.Endpoint) -> None:
    assert hearth("down") == (0, "Hearth has stopped.\n", "")
    assert hearth("down") == (0, "Hearth is not running.\n", "")
