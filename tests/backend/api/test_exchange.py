import pytest
from pydantic import TypeAdapter

from hearth_backend.api.exchange import Call
from hearth_backend.api.principals import first_party
from hearth_shared.errors import BadRequest, InvalidBody
from hearth_shared.protocol.principals import Door, TokenRequest
from hearth_shared.protocol.tasks import TaskRequest

pytestmark = pytest.mark.unit

TASK, TOKEN = TypeAdapter(TaskRequest), TypeAdapter(TokenRequest)


def call(body: bytes = b"", query: bytes = b"", **headers: bytes) -> Call:
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return Call(first_party(Door.TRAY), "req_1", named, query, {}, body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b'{"goal":"\\ud800"}', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a":' * 100_000, "not valid JSON"),
        (b'{"goal": 1e99999}', "`goal`"),
        (b"[]", "The body"),
        (b"null", "The body"),
        (b"{}", "lacks `goal`"),
        (b'{"goal":""}', "`goal`"),
        (b'{"goal":"x","golden":1}', "no field `golden`"),
        (b'{"goal":"x","priority":1001}', "`priority`"),
        (b'{"goal":"x","deadline_s":NaN}', "`deadline_s`"),
        (b'{"goal":"x","context":{"files":[{"name":"a"}]}}', "`context.files.0.text`"),
    ],
)
def test_a_wrong_body_is_told_which_field_and_what_to_do(body: bytes, said: str) -> None:
    with pytest.raises(InvalidBody) as refused:
        call(body).parse(TASK)
    assert said in refused.value.detail
    assert refused.value.fix


def test_what_was_sent_is_not_repeated_in_the_error() -> None:
    with pytest.raises(InvalidBody) as refused:
        call(b'{"name": ["a secret"]}').parse(TOKEN)
    assert "a secret" not in str(refused.value)


def test_a_right_body_is_a_frozen_value() -> None:
    assert call(b'{"goal":"x"}').parse(TASK) == TaskRequest(goal="x")


@pytest.mark.parametrize("key", [b"x" * 256, b"caf\xe9", b"a\tb", b"\x7f"])
def test_an_idempotency_key_is_short_and_printable(key: bytes) -> None:
    with pytest.raises(BadRequest):
        call(idempotency_key=key).idempotency_key()


def test_a_request_may_have_no_idempotency_key() -> None:
    assert call().idempotency_key() is None
    assert call(idempotency_key=b"again").idempotency_key() == "again"


@pytest.mark.parametrize(
    ("accept", "wants"),
    [(b"text/event-stream", True), (b"application/json, Text/Event-Stream;q=0.5", True), (b"*/*", False), (b"", False)],
)
def test_events_are_streamed_when_they_are_asked_for(accept: bytes, wants: bool) -> None:
    assert call(accept=accept).wants_events() is wants
