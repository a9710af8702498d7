"""A real Neovim with our plugin. HEARTH_TEST_NVIM names another one than that on the PATH."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support import tools
from support.backend import Backend
from support.editor import SERVER
from support.editor_fixtures import scripted, scripted_backend, scripted_model
from support.provider import words
from support.scripted_server import Scripted

__all__ = ["scripted", "scripted_backend", "scripted_model"]
pytestmark = pytest.mark.editors

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "lsp_server" / "hearth_lsp" / "editors" / "neovim"


def test_a_person_asks_edits_and_completes(scripted: Backend, scripted_model: Scripted, tmp_path: Path) -> None:
    nvim = os.environ.get("HEARTH_TEST_NVIM") or tools.need("nvim")
    path = tmp_path / "add.py"
    path.write_text("import os\ndef add(a, b):\n    return\n")
    scripted_model.does(
        words("It is ", "me."), words("```python\ndef add(a, b):\n    return a + b\n```"), words("mium")
    )
    environ = {
        **os.environ,
        "HEARTH_HOME": str(scripted.home.root),
        "HEARTH_TEST_RTP": str(PLUGIN),
        "HEARTH_TEST_CMD": json.dumps(SERVER),
        "HEARTH_TEST_FILE": str(path),
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    script = Path(__file__).with_name("neovim.lua")
    done = subprocess.run(
        [nvim, "--headless", "--clean", "-u", str(script)],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    told: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            said = json.loads(line)
            told[said["name"]] = said["value"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert told["status"] == "Hearth"
    assert "It is me." in told["answer"]
    assert "this machine" in told["answer"]
    assert told["edited"] == "import os\ndef add(a, b):\n    return a + b"
    assert told["completed"].startswith("import osmium")
    assert told["notes"] == []
