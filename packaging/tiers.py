"""Runs the tests in tiers, each within its budget, and says what each took.

A budget is wall time on two idle cores. A tier that needs more fails by its name, one that needs twice as much is
ended, and a tier that ran nothing fails too: a mark that nobody carries proves nothing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUDGETS = {
    "unit": 120,
    "integration": 260,
    "engine": 150,
    "clients": 35,
    "desktop": 220,
    "editors": 130,
    "browsers": 150,
    "security": 60,
    "fuzz": 75,
    "crash": 300,
    "setup": 1800,
    "gpu": 150,
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a tier came to."""

    tier: str
    seconds: float
    code: int
    ran: int = 0
    skipped: int = 0
    slowest: tuple[tuple[float, str], ...] = ()


def faults(report: Report, budget: float) -> list[str]:
    """Why the tier does not pass; empty when it does."""
    found: list[str] = []
    if report.code == -1:
        found.append(f"was ended after {report.seconds:.0f} s, twice its budget")
    elif report.seconds > budget:
        found.append(f"took {report.seconds:.0f} s, its budget is {budget:.0f} s")
    if report.code in (0, 5) and not report.ran:
        found.append("ran no test")
    elif report.code not in (0, -1):
        found.append(f"failed (pytest says {report.code})")
    return found


def read_report(tier: str, seconds: float, code: int, xml: str) -> Report:
    """What pytest's JUnit file says of a tier."""
    cases = list(ET.fromstring(xml).iter("testcase")) if xml else []
    skipped = sum(case.find("skipped") is not None for case in cases)
    slowest = sorted(((float(case.get("time", 0)), _name(case)) for case in cases), reverse=True)[:3]
    return Report(tier, seconds, code, len(cases) - skipped, skipped, tuple(slowest))


def _name(case: ET.Element) -> str:
    return f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name', '')}"


def run(tier: str, budget: float) -> Report:
    """One tier in a pytest of its own."""
    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder, "report.xml")
        command = (sys.executable, "-m", "pytest", "-q", "-m", tier, "-p", "no:cacheprovider", f"--junitxml={xml}")
        started = time.monotonic()
        try:
            code = subprocess.run(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, timeout=2 * budget, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
        said = xml.read_text("utf-8") if xml.exists() else ""
        return read_report(tier, time.monotonic() - started, code, said)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tiers", nargs="+", choices=tuple(BUDGETS))
    parser.add_argument("--no-budget", action="store_true", help="let a tier take its time")
    options = parser.parse_args(arguments)
    scale = float(os.environ.get("HEARTH_BUDGET_SCALE", "1")) * (100 if options.no_budget else 1)
    failed: list[str] = []
    lines: list[str] = []
    for tier in options.tiers:
        budget = BUDGETS[tier] * scale
        print(f"\n== {tier}", flush=True)
        report = run(tier, budget)
        failed += [f"{tier} {reason}" for reason in faults(report, budget)]
        skipped = f", {report.skipped} skipped" if report.skipped else ""
        lines.append(f"  {tier:<12} {report.ran:>5} tests {report.seconds:>7.1f} s of {budget:.0f} s{skipped}")
        lines += [f"  {'':<12} slow: {seconds:.1f} s {name}" for seconds, name in report.slowest if seconds > 5]
    print("\n" + "\n".join(lines))
    for line in failed:
        print(f"FAILED: {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
