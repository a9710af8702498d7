import json
from typing import Any

import pytest

from hearth_backend.cli.usage import bar, chart
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
    assert backend.asked[-1].query == {"limit": ["5"], "by": ["day"]}


def total(**more: Any) -> dict[str, Any]:
    known = {"calls": 3, "failed": 0, "input_tokens": 900, "output_tokens": 100, "cost": 0.5, "calls_without_price": 0}
    return {**known, **more}


def test_a_chart_shows_what_the_calls_add_up_to(backend: SmallBackend) -> None:
    days = [total(day="2026-11-24"), total(day="2026-11-25", cost=1.0, failed=1, calls_without_price=2)]
    backend.routes["GET", "/v1/usage"] = lambda asked: {"rows": [ROW], "totals": days}
    lines = hearth("usage").out.splitlines()
    assert lines[-2].split() == ["2026-11-24", "█" * 12, "3", "1,000", "$0.5000"]
    assert lines[-1].split()[:3] == ["2026-11-25", "█" * 24, "3"]
    assert lines[-1].endswith("(1 failed)  1,000   $1.0000 and 2 not known")


def test_a_model_that_was_asked_instead_says_why(backend: SmallBackend) -> None:
    away = {**ROW, "where": "cloud", "model": "far", "instead_of": "tiny", "because": "It died."}
    backend.routes["GET", "/v1/usage"] = lambda asked: {"rows": [away], "totals": [total(agent="")]}
    shown = hearth("usage", "--by", "agent")
    assert "far was asked instead of tiny: It died." in shown.err
    assert shown.out.splitlines()[-1].startswith("none ")
    assert backend.asked[-1].query["by"] == ["agent"]


def test_where_nothing_cost_anything_the_bars_are_tokens() -> None:
    free = [total(model="a", cost=0.0), total(model="b", cost=None, input_tokens=0, output_tokens=500)]
    head, one, other = chart("model", free)
    assert head[1] == ("tokens", "muted")
    assert (one[1], one[4]) == ("█" * 24, "$0.0000")
    assert (other[1], other[4]) == ("█" * 12, "not known")
    assert chart("day", [])[1:] == []


@pytest.mark.parametrize(("share", "drawn"), [(0.0, ""), (0.0001, "▏"), (1.0, "█" * 24), (0.52, "█" * 12 + "▌")])
def test_a_bar_is_as_long_as_its_share(share: float, drawn: str) -> None:
    assert bar(share) == drawn


def test_no_calls_yet(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/usage"] = lambda asked: {"rows": [], "totals": []}
    assert hearth("usage").out == "No model was asked yet.\n"
