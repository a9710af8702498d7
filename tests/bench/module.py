"""Starts another module of this folder as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

_TESTS = Path(__file__).parents[1]


def start(name: str, *arguments: str) -> "subprocess.Popen[str]":
    """`python -m bench.NAME`; -P keeps this folder, which has an http.py, off its path."""
    return subprocess.Popen(
        (sys.executable, "-P", "-m", f"bench.{name}", *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": str(_TESTS)},
    )  # fmt: skip
