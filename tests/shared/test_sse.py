import json
from typing import Any

import pytest

from hearth_shared.errors import NotFound, StorageFull, TooLarge
from hearth_shared.sse import EventStream, Following, ServerEvent

pytestmark = pytest.mark.unit

WIRE = 'id: 7\nevent: note\ndata: {"text": "hé"}\n\n: heartbeat\n\ndata: a\ndata:b\r\n\r\ndata: [DONE]\n\n'.encode()
EVENTS = [
    ServerEvent("note", "7", '{"text": "hé"}'),
    ServerEvent("message", "7", "a\nb"),
    ServerEvent("message", "7", "[DONE]"),
]


@pytest.mark.parametrize("cut", range(len(WIRE) + 1))
def test_events_survive_every_cut(cut: int) -> None:
    stream = EventStream()
    assert stream.feed(WIRE[:cut]) + stream.feed(WIRE[cut:]) == EVENTS


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_events_come_byte_by_byte_with_either_line_end(end: bytes) -> None:
    stream = EventStream()
    wire = WIRE.replace(b"\r\n", b"\n").replace(b"\n", end)
    assert [event for byte in wire for event in stream.feed(bytes([byte]))] == EVENTS


def test_a_lone_carriage_return_ends_a_line() -> None:
    assert EventStream().feed(b"data: a\rdata: b\r\rdata: c\n\n")[0].data == "a\nb"


def test_a_byte_order_mark_is_not_part_of_the_first_field() -> None:
    stream = EventStream()
    assert stream.feed(b"\xef") == []
    assert stream.feed(b"\xbb\xbfdata: a\n\n") == [ServerEvent("message", "", "a")]


def test_an_event_without_data_is_none() -> None:
    assert EventStream().feed(b"event: ping\n\ndata: a\n\n") == [ServerEvent("message", "", "a")]


def test_an_event_that_never_ends_is_refused() -> None:
    stream = EventStream()
    stream.feed(b"x" * 16_000_000)
    with pytest.raises(TooLarge, match="16 MiB"):
        stream.feed(b"x" * 1_000_000)


def test_many_events_are_not_one_long_event() -> None:
    stream = EventStream()
    piece = b"data: " + b"x" * 1_000_000 + b"\n\n"
    assert sum(len(stream.feed(piece)) for _ in range(20)) == 20


def event(seq: int, kind: str = "text.delta", run_id: str = "run_1", **data: Any) -> bytes:
    value = {"seq": seq, "time": 0.0, "type": kind, "run_id": run_id, "thread_id": None, "door": "cli", "data": data}
    return f"id: {seq}\nevent: {kind}\ndata: {json.dumps(value)}\n\n".encode()


def seqs(following: Following, data: bytes) -> list[int]:
    return [found["seq"] for found in following.feed(data)]


def test_a_broken_stream_is_asked_for_from_its_last_event() -> None:
    following = Following("/v1/tasks/run_1/events")
    assert "Last-Event-ID" not in following.ask().headers
    assert seqs(following, event(3) + event(4) + event(5)[:20]) == [3, 4]
    assert following.ask().headers["Last-Event-ID"] == "4"
    assert seqs(following, event(5)) == [5]


def test_events_seen_before_are_dropped() -> None:
    following = Following("/v1/tasks/run_1/events", after_seq=2)
    assert seqs(following, event(1) + event(2) + event(3) + event(3) + event(4)) == [3, 4]


def test_a_stream_opened_by_a_post_goes_on_as_the_events_of_its_run() -> None:
    following = Following("/v1/threads/t/messages", {"text": "hi"}, key="k")
    first = following.ask()
    assert (first.method, first.body, first.headers["Idempotency-Key"]) == ("POST", {"text": "hi"}, "k")
    following.feed(event(9, run_id="run_7"))
    again = following.ask()
    assert (again.method, again.path, again.body) == ("GET", "/v1/tasks/run_7/events", None)


def test_before_its_first_event_the_same_post_is_sent_again() -> None:
    following = Following("/v1/threads/t/messages", {"text": "hi"}, key="k")
    assert following.ask() == following.ask()


@pytest.mark.parametrize("kind", ["task.finished", "task.failed", "task.cancelled"])
def test_it_is_done_when_its_run_has_ended_and_not_before(kind: str) -> None:
    following = Following("/v1/tasks/run_1/events")
    following.feed(event(1, "task.started") + event(2, kind, run_id="run_other"))
    assert not following.done
    assert seqs(following, event(3, kind) + event(4)) == [3]
    assert following.done


def test_the_stream_of_all_events_never_ends() -> None:
    following = Following("/v1/events", ends=False)
    following.feed(event(1, "task.finished"))
    assert not following.done


GAP = b'event: gap\ndata: {"type": "gap", "seq": 9}\n\n'


def test_events_that_are_no_longer_kept_are_passed_over() -> None:
    following = Following("/v1/events", after_seq=3, ends=False)
    assert seqs(following, GAP + event(9) + event(10)) == [10]
    assert following.ask().headers["Last-Event-ID"] == "10"


def test_a_run_whose_events_are_no_longer_kept_has_no_end_to_wait_for() -> None:
    with pytest.raises(NotFound, match="no longer kept"):
        Following("/v1/tasks/run_1/events").feed(GAP)


def test_the_reason_for_breaking_off_is_raised() -> None:
    problem = json.dumps(StorageFull("The disk is full.", "Make room.").problem()).encode()
    with pytest.raises(StorageFull, match="Make room"):
        Following("/v1/events").feed(b"event: error\ndata: " + problem + b"\n\n")


def test_it_gives_up_after_tries_without_an_event_and_counts_anew_after_one() -> None:
    following = Following("/v1/events", ends=False)
    pauses = [following.pause() for _ in range(5)]
    following.feed(event(1))
    assert following.pause() == pauses[0]
    while following.pause() is not None:
        pass
    assert None not in pauses
