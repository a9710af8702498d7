import pytest

from hearth_backend.orchestrator.replay import Earlier, Piece, Reset, StepRecord, earlier
from hearth_shared.protocol.events import EventType

pytestmark = pytest.mark.unit
DONE = StepRecord(0, "model", "c1", "done", '"hi"')


def delta(text: str, part: int = 0) -> tuple[EventType, dict[str, object]]:
    return EventType.TEXT_DELTA, {"part": part, "offset": 0, "text": text}


def started(seq: int) -> tuple[EventType, dict[str, object]]:
    return EventType.STEP_STARTED, {"seq": seq}


def finished(seq: int) -> tuple[EventType, dict[str, object]]:
    return EventType.STEP_FINISHED, {"seq": seq}


def reset(part: int = 0, **more: int) -> tuple[EventType, dict[str, object]]:
    return EventType.TEXT_RESET, {"part": part, **more}


def said(text: str, part: int = 0) -> Piece:
    return Piece(EventType.TEXT_DELTA, part, text)


def test_a_run_without_a_past_leaves_nothing() -> None:
    assert earlier([], []) == Earlier()


def test_steps_are_found_by_their_position() -> None:
    assert earlier([DONE], []).steps == {0: DONE}


def test_text_belongs_to_the_step_in_which_it_was_said() -> None:
    story = [started(0), delta("a"), delta("b"), finished(0), delta("c"), started(1), delta("d"), finished(1)]
    assert earlier([], story).said == {0: (said("a"), said("b")), 1: (said("d"),)}


def test_every_part_with_text_on_the_screen_is_to_be_taken_back() -> None:
    assert earlier([], [delta("a", 2), delta("b", 0), delta("c", 2)]).shown == (2, 0)


def test_a_part_that_was_taken_back_already_is_not_taken_back_again() -> None:
    assert earlier([], [delta("a"), reset(), delta("b", 1)]).shown == (1,)


def test_what_another_model_began_again_was_not_said() -> None:
    story = [started(0), delta("half"), delta("kept", 1), reset(0), delta("whole"), finished(0)]
    assert earlier([], story).said == {0: (said("kept", 1), Reset(0), said("whole"))}


def test_a_new_attempt_takes_text_from_the_screen_but_not_from_finished_steps() -> None:
    story = [started(0), delta("a"), finished(0), started(1), delta("half"), reset(0, attempt=2), delta("a")]
    found = earlier([], story)
    assert found.said[0] == (said("a"),)
    assert found.shown == (0,)


def test_a_step_that_is_done_again_says_only_what_it_says_then() -> None:
    story = [started(0), delta("half"), reset(0, attempt=2), started(0), delta("whole"), finished(0)]
    assert earlier([], story).said == {0: (said("whole"),)}
