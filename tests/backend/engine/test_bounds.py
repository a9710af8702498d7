"""What a foreign program may take; seen in a process of its own, as the limits are a process's."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration


def outcome(block: str) -> str:
    script = f"""
from hearth_backend.engine.bounds import Exceeded, bounded
try:
    with bounded(0.3, 1 << 28):
        {block}
    print("well")
except Exceeded as error:
    print(error)
small = bytearray(1 << 29)  # the limit is gone again
"""
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_quick_and_small_block_passes() -> None:
    assert outcome("sum(range(1000))") == "well"


@pytest.mark.parametrize("block", ["while True: pass", "9**9**9"])
def test_a_block_without_end_is_ended(block: str) -> None:
    assert outcome(block) == "does not come to an end"


@pytest.mark.parametrize("block", ["'x' * (1 << 34)", "[0] * (1 << 31)", "'x'.center(1 << 34)"])
def test_a_greedy_block_is_ended(block: str) -> None:
    assert outcome(block) == "takes more memory than it may"
