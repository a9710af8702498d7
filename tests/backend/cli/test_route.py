import pytest

from hearth_backend.cli.route import route

pytestmark = pytest.mark.unit


def test_what_a_person_typed_stays_inside_its_part() -> None:
    assert route("tasks", "../clients?x=1 é") == "/v1/tasks/..%2Fclients%3Fx%3D1%20%C3%A9"


def test_a_query_leaves_out_what_was_not_given() -> None:
    assert route("tasks", status=None, limit=5) == "/v1/tasks?limit=5"
    assert route("tasks", status=None) == "/v1/tasks"
