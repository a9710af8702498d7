"""`make bench-doors`: what tray, editor and browser cost, each measured by a process of its own, and one verdict."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.module import start
from bench.verdict import Verdict

PARTS = ("door_tray", "door_tray_stream", "door_lsp", "door_browser")
PACKAGE_BAR_MB = 1.0
BUILDER = Path(__file__).parents[2] / "packaging" / "build_extension.py"


def main() -> int:
    """The exit status: 1 when a bar of any part is missed."""
    verdict = Verdict("doors")
    for part in PARTS:
        _measure(verdict, part)
    _packages(verdict)
    return verdict.close()


def _measure(verdict: Verdict, part: str) -> None:
    print(part, flush=True)
    with start(part) as process:
        assert process.stdout is not None
        last = ""
        for line in process.stdout:
            last = line
            if not line.startswith("{"):
                print(line, end="", flush=True)
    said: dict[str, Any] = json.loads(last) if last.startswith("{") else {"figures": {}, "over": [], "passed": False}
    verdict.figures |= {f"{part}: {name}": value for name, value in said["figures"].items()}
    verdict.over += [f"{part}: {name}" for name in said["over"]]
    if process.returncode and not said["over"]:
        verdict.over.append(f"{part} broke off")


def _packages(verdict: Verdict) -> None:
    print("the extension's packages", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(BUILDER), folder], check=True, stdout=subprocess.DEVNULL)
        for package in sorted(Path(folder).rglob("*.zip")):
            verdict.bar(package.name, package.stat().st_size / 1e6, PACKAGE_BAR_MB, "MB")


if __name__ == "__main__":
    sys.exit(main())
