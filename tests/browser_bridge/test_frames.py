import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_bridge import frames
from hearth_bridge.frames import Call, Follow, NotAFrame, Pair, Ping, Refused, Stop
from hearth_shared.errors import NotFound

pytestmark = pytest.mark.unit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
NAMES = st.sampled_from(["id", "method", "path", "body", "key", "follow", "after_seq", "stop", "ping", "pair"])


@given(st.text() | st.binary())
def test_whatever_comes_is_a_frame_or_is_turned_away(text: str | bytes) -> None:
    with pytest.raises((NotAFrame, Refused)):
        raise_unless_frame(text)


@given(st.dictionaries(NAMES | st.text(), JSON))
def test_any_object_is_a_frame_or_is_turned_away(said: object) -> None:
    with pytest.raises((NotAFrame, Refused)):
        raise_unless_frame(json.dumps(said))


def raise_unless_frame(text: str | bytes) -> None:
    """Reads; a frame that is one is as good as refused here."""
    frame = frames.read(text)
    assert isinstance(frame, Call | Follow | Stop | Ping | Pair)
    raise NotAFrame("it is one")


@given(st.integers(0, 2**53 - 1), st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers()))
def test_a_call_keeps_its_id_and_its_body(id: int, body: dict[str, int]) -> None:
    frame = frames.read(json.dumps({"id": id, "method": "POST", "path": "/v1/threads", "body": body}))
    assert isinstance(frame, Call)
    assert (frame.id, json.loads(frame.body or b"")) == (id, body)


def test_each_kind_of_frame_is_told_from_the_others() -> None:
    assert frames.read('{"ping": 3}') == Ping(3)
    assert frames.read('{"id": 2, "stop": true}') == Stop(2)
    assert frames.read('{"id": 2, "follow": "/v1/events"}') == Follow(2, "/v1/events", None)
    assert frames.read('{"id": 2, "follow": "/v1/tasks/run_1/events", "after_seq": 0}') == Follow(
        2, "/v1/tasks/run_1/events", 0
    )
    assert frames.read('{"pair": {"code": "482913", "name": "Chromium"}}') == Pair("482913", "Chromium")
    assert frames.read('{"id": 1, "method": "GET", "path": "/v1/status"}') == Call(1, "GET", "/v1/status", None, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        b'{"ping": 1}',
        '{"id": -1, "stop": true}',
        '{"id": 9007199254740992, "stop": true}',
        '{"id": true, "stop": true}',
        '{"id": 1.0, "method": "GET", "path": "/v1/status"}',
        '{"id": 1, "method": 7, "path": "/v1/status"}',
        '{"id": 1, "follow": "/v1/events", "after_seq": -1}',
        '{"id": 1, "follow": "/v1/events", "after_seq": "1"}',
        '{"ping": "1"}',
        '{"pair": {"code": 482913}}',
        '{"pair": {"code": "' + "1" * 17 + '"}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_frame_ends_the_connection(text: str | bytes) -> None:
    with pytest.raises(NotAFrame):
        frames.read(text)


@pytest.mark.parametrize(
    "said",
    [
        {"method": "DELETE", "path": "/v1/clients/c1"},
        {"method": "GET", "path": "/v1/settings"},
        {"method": "GET", "path": "/v1/status", "key": "a\r\nHost: x"},
        {"method": "POST", "path": "/v1/threads", "body": {"title": "\ud800"}},
        {"follow": "/v1/settings"},
        {"follow": "/v1/tasks/../settings/events"},
    ],
)
def test_what_a_browser_may_not_do_is_answered_with_a_problem(said: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        frames.read(json.dumps({"id": 7, **said}))
    answer = json.loads(frames.problem(refused.value.id, refused.value.error))
    assert answer["id"] == 7
    assert answer["problem"]["code"] in ("forbidden", "bad_request")


def test_what_the_backend_says_goes_through_as_it_is() -> None:
    assert json.loads(frames.answered(1, 200, b'{"a":"\xc3\xa4"}')) == {"id": 1, "status": 200, "body": {"a": "ä"}}
    assert json.loads(frames.answered(1, 204, b"")) == {"id": 1, "status": 204, "body": None}
    assert json.loads(frames.told(2, ['{"seq":5}', '{"seq":6}'])) == {"id": 2, "events": [{"seq": 5}, {"seq": 6}]}
    assert json.loads(frames.ended(2)) == {"id": 2, "end": True}
    assert json.loads(frames.pong(3)) == {"pong": 3}
    assert json.loads(frames.paired(b'{"token":"t"}')) == {"paired": {"token": "t"}}
    assert json.loads(frames.problem(None, NotFound("Gone.")))["problem"]["detail"] == "Gone."


def test_the_origin_of_a_pairing_is_the_one_that_was_seen() -> None:
    asked = json.loads(frames.pairing(Pair("1", "Firefox"), "moz-extension://x"))
    assert asked == {"code": "1", "origin": "moz-extension://x", "name": "Firefox"}
