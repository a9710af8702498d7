"""Vectors are those that llama.cpp makes of a text alone, and what would abort the process is refused before."""

import subprocess
import sys

import pytest

from support import tools
from support.gguf_files import ROOT, bert, generated, pooled

pytestmark = pytest.mark.engine
MISUSES = (
    *("too long", "too long together", "no text", "an empty text", "too many", "no token", "a negative token"),
    *("another thread", "after close"),
)


@pytest.mark.parametrize(("make", "name"), [(bert, "hearth-test-bert"), (pooled, "hearth-test-pooled")])
def test_a_text_in_a_batch_is_as_if_alone_and_nothing_ends_the_process(make: object, name: str) -> None:
    tools.need("llama_cpp")
    model = generated(name, bert if make is bert else pooled)
    script = str(ROOT / "tests" / "support" / "embedding_parity.py")
    done = subprocess.run([sys.executable, "-I", script, str(model)], capture_output=True, text=True, check=False)
    said = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert done.returncode == 0, done.stdout + done.stderr
    assert float(said["cosine"]) > 0.9999
    assert float(said["batch"]) < 0.01
    assert float(said["length"]) < 1e-5
    assert said["longest 512"] == str(make is bert)  # a BERT's texts end in [SEP], also when they are cut
    assert {name: said[name] for name in MISUSES} == dict.fromkeys(MISUSES, "Misuse")
