import sys
from pathlib import Path
from typing import Any

import pytest

from hearth_backend.engine.hub_child import environment, said

pytestmark = pytest.mark.integration


def test_the_child_knows_the_way_and_no_secret() -> None:
    around = {
        "PATH": "/bin",
        "HF_TOKEN": "hf_secret",
        "OPENAI_API_KEY": "sk",
        "https_proxy": "http://proxy",
        "HOME": "/h",
    }
    env = environment({**around, "HF_ENDPOINT": "http://mirror"}, "", Path("/models"))
    assert (env["HF_ENDPOINT"], env["https_proxy"], env["HOME"]) == ("http://mirror", "http://proxy", "/models")
    assert env["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert "secret" not in str(env)
    assert "OPENAI_API_KEY" not in env
    assert environment(around, "http://mine/", Path("/models"))["HF_ENDPOINT"] == "http://mine"


async def lines(folder: Path, program: str) -> list[Any]:
    argv = (sys.executable, "-I", "-c", program)
    return [line async for line in said({"folder": str(folder)}, "", argv)]


async def test_what_it_says_comes_line_by_line(tmp_path: Path) -> None:
    assert await lines(tmp_path, 'print(\'{"kind": "found"}\\n{"kind": "done"}\')') == [
        {"kind": "found"},
        {"kind": "done"},
    ]


async def test_one_that_dies_at_once_has_said_nothing(tmp_path: Path) -> None:
    assert await lines(tmp_path, "import os; os.abort()") == []


async def test_one_that_is_left_early_ends_with_its_stdin(tmp_path: Path) -> None:
    program = 'import sys; print(\'{"kind": "a"}\', flush=True); sys.stdin.read()'
    talk = said({"folder": str(tmp_path)}, "", (sys.executable, "-I", "-c", program))
    assert await anext(talk) == {"kind": "a"}
    await talk.aclose()
