"""Runs the tests in tiers, two side by side, each within its budget, and says what each took.

Most tests wait for a process of their own, so one tier leaves half of two cores idle. A budget is wall time on two idle
cores beside one other tier. A tier that needs more fails by its name, one that needs twice as much is ended, and a tier
that ran nothing fails too: a mark that nobody carries proves nothing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LANES = 2
BUDGETS = {
    "unit": 150,
    "integration": 540,
    "engine": 240,
    "clients": 60,
    "desktop": 340,
    "editors": 200,
    "browsers": 240,
    "security": 120,
    "fuzz": 130,
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
    output: str = ""


def in_order(budgets: Mapping[str, float]) -> list[str]:
    """The longest first, so that the short ones fill what is left at the end."""
    return sorted(budgets, key=lambda tier: -budgets[tier])


def makespan(budgets: Mapping[str, float], lanes: int = LANES) -> float:
    """How long tiers take, at most, when each lane takes the next as soon as it is free; in seconds."""
    free = [0.0] * lanes
    for tier in in_order(budgets):
        free.sort()
        free[0] += budgets[tier]
    return max(free)


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
        xml, written = Path(folder, "report.xml"), Path(folder, "output.txt")
        command = (sys.executable, "-m", "pytest", "-q", "-m", tier, "-p", "no:cacheprovider", f"--junitxml={xml}")
        started = time.monotonic()
        with written.open("wb") as output:
            code = _wait(command, output.fileno(), 2 * budget)
        said = xml.read_text("utf-8") if xml.exists() else ""
        report = read_report(tier, time.monotonic() - started, code, said)
        return replace(report, output=written.read_text("utf-8", "replace"))


def _wait(command: Sequence[str], output: int, limit_s: float) -> int:
    """Its exit status; -1 when it had to be ended."""
    try:
        return subprocess.run(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=limit_s,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return -1


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tiers", nargs="+", choices=tuple(BUDGETS))
    parser.add_argument("--no-budget", action="store_true", help="let a tier take its time")
    options = parser.parse_args(arguments)
    scale = float(os.environ.get("HEARTH_BUDGET_SCALE", "1")) * (100 if options.no_budget else 1)
    budgets = {tier: BUDGETS[tier] * scale for tier in options.tiers}
    failed: list[str] = []
    lines: list[str] = []
    with ThreadPoolExecutor(LANES) as lanes:
        begun = [lanes.submit(run, tier, budgets[tier]) for tier in in_order(budgets)]
        for ended in as_completed(begun):
            report = ended.result()
            print(f"\n== {report.tier}\n{report.output}", flush=True)
            failed += [f"{report.tier} {reason}" for reason in faults(report, budgets[report.tier])]
            lines += told(report, budgets[report.tier])
    print("\n" + "\n".join(lines))
    for line in failed:
        print(f"FAILED: {line}")
    return 1 if failed else 0


def told(report: Report, budget: float) -> list[str]:
    """The lines of one tier in the closing table."""
    skipped = f", {report.skipped} skipped" if report.skipped else ""
    first = f"  {report.tier:<12} {report.ran:>5} tests {report.seconds:>7.1f} s of {budget:.0f} s{skipped}"
    return [first, *(f"  {'':<12} slow: {seconds:.1f} s {name}" for seconds, name in report.slowest if seconds > 5)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
