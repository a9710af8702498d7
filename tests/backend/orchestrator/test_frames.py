import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.orchestrator.frames import FRAME_S, Frame, Frames, Stream
from hearth_shared.protocol.events import EventType

pytestmark = pytest.mark.unit
TEXT: Stream = EventType.TEXT_DELTA
THOUGHT: Stream = EventType.REASONING_DELTA


def test_nothing_is_due_while_nothing_was_said() -> None:
    frames = Frames()
    frames.add(TEXT, 0, "")
    assert frames.due_in(5.0) is None
    assert frames.take(5.0) == []


def test_the_first_text_of_a_part_is_due_at_once() -> None:
    frames = Frames()
    frames.add(TEXT, 0, "a")
    assert frames.due_in(5.0) == 0
    frames.take(5.0)
    frames.add(TEXT, 1, "b")
    assert frames.due_in(5.001) == 0


def test_more_of_it_is_due_a_frame_later_and_comes_in_one() -> None:
    frames = Frames()
    frames.add(TEXT, 0, "a")
    frames.take(5.0)
    frames.add(TEXT, 0, "b")
    frames.add(TEXT, 0, "c")
    assert frames.due_in(5.01) == pytest.approx(FRAME_S - 0.01)
    assert frames.due_in(6.0) == 0
    assert frames.take(5.04) == [Frame(TEXT, 0, 1, "bc")]


def test_offsets_count_code_points() -> None:
    frames = Frames()
    frames.add(TEXT, 0, "für 🔥")
    frames.take(0.0)
    frames.add(TEXT, 0, "!")
    assert frames.take(1.0) == [Frame(TEXT, 0, 5, "!")]


def test_thoughts_and_answers_have_offsets_of_their_own() -> None:
    frames = Frames()
    frames.add(THOUGHT, 0, "hm")
    frames.add(TEXT, 0, "yes")
    assert frames.take(0.0) == [Frame(THOUGHT, 0, 0, "hm"), Frame(TEXT, 0, 0, "yes")]


def test_a_reset_part_begins_again_and_what_was_collected_of_it_is_gone() -> None:
    frames = Frames()
    frames.add(TEXT, 0, "sent")
    frames.take(0.0)
    frames.add(TEXT, 1, "other")
    frames.add(TEXT, 0, "collected")
    frames.reset(0)
    frames.add(TEXT, 0, "again")
    assert frames.take(1.0) == [Frame(TEXT, 1, 0, "other"), Frame(TEXT, 0, 0, "again")]


@given(st.lists(st.tuples(st.sampled_from([TEXT, THOUGHT]), st.integers(0, 2), st.text(), st.booleans())))
def test_whatever_the_cuts_the_frames_say_each_part_once_and_in_order(
    pieces: list[tuple[Stream, int, str, bool]],
) -> None:
    frames, sent = Frames(), list[Frame]()
    for stream, part, text, cut in pieces:
        frames.add(stream, part, text)
        if cut:
            sent += frames.take(0.0)
    sent += frames.take(0.0)
    heard: dict[tuple[str, int], str] = {}
    for frame in sent:
        before = heard.get((frame.stream, frame.part), "")
        assert frame.offset == len(before)
        assert frame.text
        heard[frame.stream, frame.part] = before + frame.text
    said: dict[tuple[str, int], str] = {}
    for stream, part, text, _ in pieces:
        if text:
            said[stream, part] = said.get((stream, part), "") + text
    assert heard == said
