"""Tests that only mean something for an ordinary user: where tests run as root, a module of them is run once more, as
somebody who is nobody."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
IS_ROOT: Final = hasattr(os, "geteuid") and os.geteuid() == 0
_SOMEBODY: Final = 61_234
LIMIT_S: Final = 300  # two tests that each may take until the hang limit
only_for_root = pytest.mark.skipif(not IS_ROOT, reason="is root's part of the module")
only_for_others = pytest.mark.skipif(IS_ROOT, reason="is run as an ordinary user by test_sandbox.py or its own module")


def as_ordinary_user(*modules: Path) -> str:
    """Run modules of tests as an ordinary user; what pytest said of it. Skips where the checkout cannot be read."""
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv")
    become = ["setpriv", f"--reuid={_SOMEBODY}", f"--regid={_SOMEBODY}", "--clear-groups", "--"]
    if (
        subprocess.run([*become, "test", "-r", str(modules[0]), "-a", "-x", sys.executable], check=False).returncode
        != 0
    ):
        pytest.skip("this checkout lies where an ordinary user cannot read it")
    folder = tempfile.mkdtemp(prefix="hearth-ordinary-")
    os.chown(folder, _SOMEBODY, _SOMEBODY)
    kept = {name: os.environ[name] for name in ("PATH", "CI", "LANG", "HEARTH_SWAPS") if name in os.environ}
    try:
        done = subprocess.run(
            [
                *become,
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "--basetemp",
                f"{folder}/tmp",
                *map(str, modules),
            ],
            cwd=ROOT,
            env={**kept, "HOME": folder, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": folder},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout
