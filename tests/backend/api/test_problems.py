import json
from typing import Any

import pytest

from hearth_backend.api import problems
from hearth_backend.api.exchange import Reply
from hearth_shared.errors import HearthError, InvalidBody, NoModel, RateLimited, TooLarge, Unauthorized, every_error

pytestmark = pytest.mark.unit


def said(reply: Reply) -> dict[str, Any]:
    return json.loads(reply.body)


def test_every_error_of_the_tree_can_be_told_in_every_dialect() -> None:
    for kind in every_error():
        error = kind("It broke.", "Mend it.")
        assert said(problems.native(error, "req_1"))["code"] == kind.code
        assert said(problems.openai(error, "req_1"))["error"]["code"] == kind.code
        assert said(problems.anthropic(error, "req_1"))["error"]["message"] == "It broke. Mend it."
        assert said(problems.ollama(error, "req_1"))["error"] == "It broke. Mend it."
        told = problems.llama_server(error, "req_1")
        assert said(told)["error"]["code"] == told.status


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (InvalidBody("x"), 400, "invalid_request_error"),
        (Unauthorized("x"), 401, "authentication_error"),
        (TooLarge("x"), 413, "request_too_large"),
        (RateLimited("x"), 429, "rate_limit_error"),
        (NoModel("x"), 503, "overloaded_error"),
        (HearthError("x"), 500, "api_error"),
    ],
)
def test_anthropics_statuses_and_types(error: HearthError, status: int, kind: str) -> None:
    reply = problems.anthropic(error, "")
    assert (reply.status, said(reply)["error"]["type"]) == (status, kind)


def test_a_problem_has_the_members_of_its_rfc_and_ours() -> None:
    reply = problems.native(NoModel("No model.", "Connect one."), "req_1")
    assert (reply.status, reply.media) == (503, b"application/problem+json")
    told = said(reply)
    assert told.keys() >= {"type", "title", "status", "code", "detail", "fix", "retryable"}
    assert (told["detail"], told["fix"], told["request_id"]) == ("No model.", "Connect one.", "req_1")


def test_openais_shape_says_cause_and_fix_in_one_message() -> None:
    told = said(problems.openai(NoModel("No model.", "Connect one."), "req_1"))["error"]
    assert told == {"message": "No model. Connect one.", "type": "server_error", "param": None, "code": "no_model"}


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (InvalidBody("x"), 400, "invalid_request_error"),
        (Unauthorized("x"), 401, "authentication_error"),
        (RateLimited("x"), 429, "rate_limit_error"),
        (HearthError("x"), 500, "server_error"),
    ],
)
def test_openais_statuses_and_types(error: HearthError, status: int, kind: str) -> None:
    reply = problems.openai(error, "")
    assert (reply.status, said(reply)["error"]["type"]) == (status, kind)


def test_the_wrong_field_is_openais_param() -> None:
    assert said(problems.openai(InvalidBody("x", field="messages.0"), ""))["error"]["param"] == "messages.0"


def test_a_wait_is_a_header_in_whole_seconds() -> None:
    for wait, header in ((0.01, b"1"), (1.2, b"2"), (30, b"30")):
        assert (b"retry-after", header) in problems.native(RateLimited("x", retry_after=wait), "").headers


def test_a_body_that_was_not_read_ends_the_connection() -> None:
    assert (b"connection", b"close") in problems.native(TooLarge("x"), "").headers
    assert not problems.native(NoModel("x"), "").headers


def test_constant_answers_have_one_length_and_name_nothing() -> None:
    bodies = (problems.UNAUTHORIZED, problems.REFUSED, problems.UNAVAILABLE)
    assert len({len(body) for body in bodies}) == 1
    for body in bodies:
        assert b"hearth" not in body.lower()
        told = json.loads(body)
        assert told["detail"] in told["error"]["message"]
