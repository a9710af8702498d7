"""What the person sees while Hearth is set up."""

import io

import pytest

from hearth_setup.stages import Stages, spoken

pytestmark = pytest.mark.unit


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_elsewhere_than_on_a_terminal_a_stage_is_its_title_and_its_end() -> None:
    out, clock = io.StringIO(), Clock()
    stages = Stages(out, 2, clock)
    with stages.stage("Environment"):
        stages.update("1 of 9 MB")
        clock.now = 4
        stages.note("9 MB downloaded")
    assert out.getvalue() == "[1/2] Environment\n      9 MB downloaded, done in 4 s\n"


def test_a_long_stage_gives_a_sign_of_life_every_ten_seconds() -> None:
    out, clock = io.StringIO(), Clock()
    stages = Stages(out, 1, clock)
    with stages.stage("Environment"):
        for clock.now in (5, 11, 12, 22):
            stages.update(f"after {clock.now} s")
    assert "after 11 s" in out.getvalue()
    assert "after 22 s" in out.getvalue()
    assert "after 12 s" not in out.getvalue()


def test_a_terminal_shows_every_step_on_one_line() -> None:
    out = Terminal()
    stages = Stages(out, 1, Clock())
    with stages.stage("Environment"):
        stages.update("1 of 9 MB")
    assert out.getvalue().count("\n") == 1
    assert "\r\x1b[K[1/1] Environment: 1 of 9 MB" in out.getvalue()


def test_a_stage_that_fails_does_not_claim_to_be_done() -> None:
    out = io.StringIO()
    with pytest.raises(ValueError, match="no"), Stages(out, 1).stage("Environment"):
        raise ValueError("no")
    assert "done" not in out.getvalue()


@pytest.mark.parametrize(("seconds", "words"), [(3.6, "4 s"), (200, "3 min 20 s")])
def test_times_are_spoken(seconds: float, words: str) -> None:
    assert spoken(seconds) == words
