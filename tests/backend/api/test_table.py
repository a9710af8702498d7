import pytest

from hearth_backend.api.endpoint import Endpoint, get, post
from hearth_backend.api.exchange import Call, Reply
from hearth_backend.api.table import RouteTable
from hearth_shared.protocol.base import Request
from hearth_shared.protocol.principals import Scope

pytestmark = pytest.mark.unit


async def answer(call: Call) -> Reply:
    return Reply()


async def take(call: Call, body: Request) -> Reply:
    return Reply()


def route(path: str) -> Endpoint:
    return get(path, answer, "").needing(Scope.STATUS)


def found(table: RouteTable, path: str) -> tuple[list[str], dict[str, str]] | None:
    there = table.find(path)
    return None if there is None else (sorted(there[0]), dict(there[1]))


def test_a_route_without_a_scope_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="GET /v1/new declares no scope"):
        RouteTable([get("/v1/new", answer, "")])


def test_a_route_may_not_declare_itself_open() -> None:
    with pytest.raises(ValueError, match="may not be open"):
        RouteTable([get("/v1/new", answer, "").open()])


def test_the_sign_of_life_may_be_open() -> None:
    assert found(RouteTable([get("/healthz", answer, "").open()]), "/healthz") == (["GET"], {})


def test_a_route_declared_twice_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="twice"):
        RouteTable([route("/v1/a"), route("/v1/a")])


def test_methods_of_one_path_are_found_together() -> None:
    table = RouteTable([route("/v1/a"), post("/v1/a", Request, take, "").needing(Scope.STATUS)])
    assert found(table, "/v1/a") == (["GET", "POST"], {})


def test_parameters_are_taken_from_the_path() -> None:
    table = RouteTable([route("/v1/agents/{agent}/tasks/{task}")])
    assert found(table, "/v1/agents/a/tasks/t 1") == (["GET"], {"agent": "a", "task": "t 1"})


@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v1/agents", "/v1/agents/a/tasks/", "/v1/agents//tasks/t", "/v1/agents/a/tasks/t/u", "v1"]
)
def test_other_paths_are_not_found(path: str) -> None:
    assert found(RouteTable([route("/v1/agents/{agent}/tasks/{task}")]), path) is None


def test_a_parameter_may_span_slashes_when_it_says_so() -> None:
    table = RouteTable([route("/v1/models"), route("/v1/models/{id:path}")])
    assert found(table, "/v1/models/near/m") == (["GET"], {"id": "near/m"})
    assert found(table, "/v1/models/") is None


def test_dots_in_a_path_are_no_wildcards() -> None:
    assert found(RouteTable([route("/v1/{a}.json")]), "/v1/xyjson") is None
