import json
from typing import Any

import pytest

from support.shell import hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration

ROW: dict[str, Any] = {
    "at": 0.0,
    "model": "tiny",
    "where": "this machine",
    "role": "chat",
    "input_tokens": 12,
    "output_tokens": 3,
    "cost": 0.0,
    "ms": 1234.0,
    "ok": True,
    "error": "",
}


def test_calls_are_listed_with_what_they_cost(backend: SmallBackend) -> None:
    failed = {**ROW, "model": "far", "cost": None, "ok": False, "error": "timeout"}
    backend.routes["GET", "/v1/usage"] = lambda asked: {"rows": [ROW, failed], "totals": []}
    out = hearth("usage").out
    assert "12 + 3  1.2 s  $0.0000" in out
    assert "far: timeout" in out
    assert "not known" in out
    assert json.loads(hearth("usage", "--json", "--limit", "5").out)["rows"][0] == ROW
    assert backend.asked[-1].query == {"limit": ["5"]}


def test_no_calls_yet(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/usage"] = lambda asked: {"rows": [], "totals": []}
    assert hearth("usage").out == "No model was asked yet.\n"
