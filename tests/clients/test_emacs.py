"""A real Emacs with eglot and our hearth.el."""

import os
import subprocess
from pathlib import Path

import pytest

from support import tools
from support.backend import Backend
from support.editor import SERVER
from support.editor_fixtures import scripted, scripted_backend, scripted_model
from support.provider import words
from support.scripted_server import Scripted

__all__ = ["scripted", "scripted_backend", "scripted_model"]
pytestmark = pytest.mark.editors

SNIPPET = Path(__file__).parents[2] / "lsp_server" / "hearth_lsp" / "editors" / "emacs" / "hearth.el"


def _emacs(program: str) -> tuple[str, ...]:
    """Without a person's own settings, but with the system's packages."""
    return (program, "-q", "--batch", "--eval", "(package-initialize)")


def eglot(emacs: str) -> None:
    """Skip without it: it is built in from Emacs 29 on, and a package before."""
    asked = (*_emacs(emacs), "--eval", "(require 'eglot)")
    if subprocess.run(asked, capture_output=True, timeout=60, check=False).returncode:
        pytest.skip("needs eglot")


def test_a_person_asks_edits_and_completes(scripted: Backend, scripted_model: Scripted, tmp_path: Path) -> None:
    emacs = tools.need("emacs")
    eglot(emacs)
    path = tmp_path / "add.py"
    path.write_text("    return\n")
    scripted_model.does(words("It is ", "me."), words("```\n    return a + b\n```"), words("ort os"))
    environ = {
        **os.environ,
        "HEARTH_HOME": str(scripted.home.root),
        "HEARTH_TEST_CMD": " ".join(SERVER),
        "HEARTH_TEST_FILE": str(path),
        "HEARTH_TEST_EL": str(SNIPPET),
        "HOME": str(tmp_path),
    }
    script = str(Path(__file__).with_name("emacs.el"))
    done = subprocess.run(
        (*_emacs(emacs), "-l", script),
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert done.returncode == 0, done.stdout + done.stderr
    assert told["managed"] == "t"
    assert told["answer"] == '"It is me."'
    assert "    return a + b" in done.stdout
    assert told["completion"] == '"import os"'
    assert told["over"] == "t"
