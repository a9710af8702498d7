"""A machine with a GPU is offered the build for it: one key takes it, one declines, and no other machine is asked."""

import io
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from hearth_setup.offer import Offer, accepted, fetches_builds, offer_for
from hearth_shared.hardware import Hardware
from hearth_shared.paths import Home

pytestmark = pytest.mark.integration
CARD = Hardware("linux", nvidia=True, programs=("nvcc",))
OFFER = Offer("vulkan", "There is a GPU.")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def pressing(*keys: str) -> Callable[[], str]:
    return iter(keys).__next__


def test_a_machine_with_a_gpu_is_offered_the_build_for_it_until_it_is_there(home: Home) -> None:
    offer = offer_for(CARD, home, prebuilt=False)
    assert offer is not None
    assert (offer.backend, "`hearth engine install cuda`" in offer.line) == ("cuda", True)
    (home.engines / "cuda-0.3.36").mkdir(parents=True)
    assert offer_for(CARD, home, prebuilt=False) is None


def test_a_machine_without_one_is_offered_nothing(home: Home) -> None:
    assert offer_for(Hardware("linux"), home, prebuilt=True) is None
    assert offer_for(Hardware("darwin"), home, prebuilt=True) is None


def test_where_builds_can_be_fetched_no_toolkit_is_needed(home: Home) -> None:
    bare = Hardware("linux", nvidia=True)
    assert [offer_for(bare, home, prebuilt=way) for way in (False, True)] == [
        Offer("vulkan", "There is an NVIDIA GPU; without CUDA's compiler (nvcc), Vulkan uses it too."),
        Offer("cuda", "There is an NVIDIA GPU."),
    ]


def test_the_index_is_read_from_the_settings(home: Home) -> None:
    assert not fetches_builds(home, {})
    assert fetches_builds(home, {"HEARTH_ENGINE__WHEELS_URL": "https://wheels.example"})
    home.config.write_text("[engine]\nwheels_url = 'https://wheels.example'\n")
    assert fetches_builds(home, {})
    for broken in ("[engine", "engine = 3\n"):
        home.config.write_text(broken)
        assert not fetches_builds(home, {})


def test_one_key_takes_it(home: Home) -> None:
    out = io.StringIO()
    assert accepted(OFFER, home, pressing("x", "\r", "Y"), out)
    assert out.getvalue() == f"{OFFER.question}yes\n"


@pytest.mark.parametrize("key", ["n", "N", "\x1b", "\x04", ""])
def test_one_key_declines_and_it_is_not_asked_again(home: Home, key: str) -> None:
    out = io.StringIO()
    assert not accepted(OFFER, home, pressing(key), out)
    assert "hearth engine install vulkan" in out.getvalue()
    assert not accepted(OFFER, home, pressing(), out)
    assert out.getvalue().endswith(f"{OFFER.line}\n")
    assert accepted(Offer("cuda", "There is another GPU."), home, pressing("y"), out)


@pytest.mark.timeout(60)
def test_a_key_is_read_from_a_terminal_without_enter() -> None:
    code = "from hearth_setup.offer import terminal_key as key; print(repr(key()), flush=True)"
    ours, theirs = pty.openpty()
    around = {**os.environ, "PYTHONPATH": f"{ROOT}/packaging:{ROOT}/shared"}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, env=around, text=True) as asking:
        while termios.tcgetattr(theirs)[3] & termios.ICANON:  # until it waits for a key; what came before is nobody's
            os.sched_yield()
        os.write(ours, b"y")
        assert asking.communicate()[0] == "'y'\n"
    assert termios.tcgetattr(theirs)[3] & termios.ICANON
    os.close(ours)
    os.close(theirs)
