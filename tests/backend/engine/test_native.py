"""What would abort the process is refused before llama.cpp is asked."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import tools
from support.gguf_files import ROOT

pytestmark = pytest.mark.engine
MISUSE, REFUSED = "Misuse", "NativeError"
EXPECTED = {
    "nothing": MISUSE,
    "more than a batch": MISUSE,
    "token too high": MISUSE,
    "token negative": MISUSE,
    "beyond the context": MISUSE,
    "position negative": MISUSE,
    "position gap": "done",
    "seat too high": MISUSE,
    "seat negative": MISUSE,
    "one seat twice": MISUSE,
    "sample a row without output": MISUSE,
    "copy to no seat": MISUSE,
    "copy to itself": MISUSE,
    "copy of nothing": "None",
    "forget no seat": MISUSE,
    "a beginning copied": "True",
    "every seat in one batch": "True",
    "the context full": "full",
    "another thread": MISUSE,
    "after close": MISUSE,
    "logits after forgetting": MISUSE,
    "aborted": "aborted",
    "sample before decode": MISUSE,
    "temperature is no number": MISUSE,
    "top_k negative": MISUSE,
    "grammar is none": REFUSED,
    "grammar without a rule": REFUSED,
    "grammar without root": REFUSED,
    "grammar too large": REFUSED,
    "grammar nested too deeply": REFUSED,
    "grammar nested": "2",
    "grammar that no token follows": REFUSED,
    "grammar to its end": "True",
    "grammar beyond its end": "4",
    "grammar and every option": "9",
    "seed of all ones": "3",
    "piece of no token": MISUSE,
    "half a surrogate": "1",
    "a long text of one letter": "True",
    "truncated file": REFUSED,
    "no file": REFUSED,
    "schema without end": REFUSED,
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, tiny_gguf: Path) -> dict[str, str]:
    """All cases in one process: one that kills it takes those after it along, and is seen by its name."""
    tools.need("llama_cpp")
    model = shutil.copy(tiny_gguf, tmp_path_factory.mktemp("native"))
    script = str(ROOT / "tests" / "support" / "native_misuse.py")
    done = subprocess.run([sys.executable, "-I", script, str(model)], capture_output=True, text=True, check=False)
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize(("case", "expected"), EXPECTED.items())
def test_misuse_is_survived(told: dict[str, str], case: str, expected: str) -> None:
    assert told.get(case, "killed the process") == expected


def test_every_case_is_expected(told: dict[str, str]) -> None:
    assert told.keys() == EXPECTED.keys()
