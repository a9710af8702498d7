"""Tiers of tests: each has its budget, and every test has its tier."""

import re
from pathlib import Path

import pytest

from tiers import BUDGETS, Report, faults, makespan, read_report

pytestmark = pytest.mark.unit

TESTS = Path(__file__).parents[1]
XML = """<testsuites><testsuite>
<testcase classname="tests.a.test_b" name="test_slow" time="7.5"/>
<testcase classname="tests.a.test_b" name="test_quick" time="0.1"/>
<testcase classname="tests.a.test_b" name="test_left" time="0.0"><skipped message="needs git"/></testcase>
</testsuite></testsuites>"""


def test_a_tier_within_its_budget_passes() -> None:
    assert faults(Report("unit", 10, 0, ran=3), 20) == []


def test_a_tier_over_its_budget_fails_with_both_figures() -> None:
    assert faults(Report("unit", 31, 0, ran=3), 30) == ["took 31 s, its budget is 30 s"]


def test_a_tier_that_hangs_was_ended() -> None:
    assert faults(Report("unit", 60, -1), 30) == ["was ended after 60 s, twice its budget"]


@pytest.mark.parametrize("code", [0, 5])
def test_a_tier_that_ran_nothing_fails(code: int) -> None:
    assert faults(Report("unit", 1, code), 30) == ["ran no test"]


def test_a_failing_tier_fails() -> None:
    assert faults(Report("unit", 1, 1, ran=3), 30) == ["failed (pytest says 1)"]


def test_the_report_counts_and_names_the_slowest() -> None:
    report = read_report("unit", 9, 0, XML)
    assert (report.ran, report.skipped) == (2, 1)
    assert report.slowest[0] == (7.5, "test_b::test_slow")


def test_a_tier_that_left_no_report_ran_nothing() -> None:
    assert read_report("unit", 9, 2, "").ran == 0


def test_the_tiers_of_make_test_fit_twenty_minutes() -> None:
    line = re.search(r"tiers\.py (unit .*)", (TESTS.parent / "Makefile").read_text("utf-8"))
    assert line is not None
    assert makespan({tier: BUDGETS[tier] for tier in line[1].split()}) <= 20 * 60


def test_two_lanes_take_the_longest_first() -> None:
    assert makespan({"a": 2, "b": 5, "c": 3}) == 5
    assert makespan({"a": 2, "b": 5, "c": 3}, lanes=1) == 10


def test_every_test_module_belongs_to_a_tier() -> None:
    tier = re.compile(r"pytest\.mark\.(" + "|".join(BUDGETS) + r")\b")
    homeless = [str(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py") if not tier.search(path.read_text())]
    assert not homeless
