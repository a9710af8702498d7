"""`hearth` as a program of its own, against a running backend."""

import os
import subprocess
import sys
from typing import NamedTuple

from support.backend import LIMIT_S, Backend


class Said(NamedTuple):
    """What came of it."""

    status: int
    out: str
    err: str


def start(backend: Backend, *arguments: str) -> "subprocess.Popen[str]":
    """The command, still running."""
    return subprocess.Popen(
        [sys.executable, "-I", "-m", "hearth_backend", *arguments],
        env={**os.environ, "HEARTH_HOME": str(backend.home.root)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def hearth(backend: Backend, *arguments: str) -> Said:
    """The command, ended."""
    process = start(backend, *arguments)
    out, err = process.communicate(timeout=2 * LIMIT_S)
    return Said(process.returncode, out, err)
