import json

import pytest

from hearth_shared.errors import HearthError, every_error, from_body, from_problem

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_an_error_comes_back_from_its_problem_as_itself(kind: type[HearthError]) -> None:
    error = from_problem(kind("It broke.", "Mend it.", retry_after=3).problem())
    assert (type(error), error.detail, error.fix, error.data) == (kind, "It broke.", "Mend it.", {"retry_after": 3})


@pytest.mark.parametrize(("status", "code"), [(404, "not_found"), (503, "backend_unavailable"), (418, "internal")])
def test_a_code_of_a_newer_backend_becomes_the_widest_class_of_its_status(status: int, code: str) -> None:
    assert from_problem({"status": status, "code": "from_the_future", "detail": "x"}).code == code


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff"])
def test_a_body_that_is_no_problem_still_says_the_status(body: bytes) -> None:
    error = from_body(401, body)
    assert error.code == "unauthorized"
    assert "401" in error.detail


def test_a_problem_in_a_body_is_read() -> None:
    assert from_body(409, json.dumps({"code": "conflict", "detail": "taken", "status": 409}).encode()).detail == "taken"


def test_an_error_in_openais_shape_is_read_too() -> None:
    body = json.dumps({"error": {"message": "Nobody writes. Connect one.", "code": "no_model"}, "request_id": "r"})
    error = from_body(503, body.encode())
    assert (error.code, error.detail) == ("no_model", "Nobody writes. Connect one.")
    assert from_body(503, b'{"error": "busy"}').code == "backend_unavailable"
