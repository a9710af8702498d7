from typing import Any

import pytest

from hearth_backend.cli.transcript import Transcript
from hearth_shared.wire import Event
from support.shell import answer

pytestmark = pytest.mark.unit


def event(kind: str, **data: Any) -> Event:
    found: Any = {"seq": 1, "time": 0.0, "type": kind, "run_id": "r", "thread_id": None, "door": "", "data": data}
    return found


def delta(part: int, offset: int, text: str) -> Event:
    return event("text.delta", part=part, offset=offset, text=text)


def test_text_adds_up_over_parts() -> None:
    transcript = Transcript()
    new = [
        transcript.take(delta(0, 0, "Héllo")),
        transcript.take(delta(0, 5, " you")),
        transcript.take(delta(1, 0, "!")),
    ]
    assert (new, transcript.text) == (["Héllo", " you", "!"], "Héllo you!")


def test_text_that_comes_twice_counts_once() -> None:
    transcript = Transcript()
    transcript.take(delta(0, 0, "one two"))
    assert transcript.take(delta(0, 4, "two three")) == " three"
    assert transcript.take(delta(0, 0, "one")) == ""
    assert transcript.text == "one two three"


def test_after_a_reset_the_part_begins_again() -> None:
    transcript = Transcript()
    transcript.take(delta(0, 0, "wrong"))
    transcript.take(event("text.reset", part=0))
    assert transcript.begins_again
    assert transcript.take(delta(0, 0, "right")) == "right"
    assert (transcript.text, transcript.begins_again) == ("right", False)


@pytest.mark.parametrize(
    ("seen", "whole", "rest"),
    [("", "all", "all"), ("al", "all", "l"), ("all", "all", ""), ("Looking.\nall", "all", ""), ("other", "all", "all")],
)
def test_the_rest_is_what_was_not_seen(seen: str, whole: str, rest: str) -> None:
    transcript = Transcript()
    transcript.take(delta(0, 0, seen))
    assert transcript.rest(answer(whole)) == rest


def test_other_events_have_no_text() -> None:
    assert Transcript().take(event("memory.recalled", count=3)) == ""
