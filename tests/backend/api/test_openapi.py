import re

import pytest

from hearth_backend.api import openapi
from hearth_backend.api.endpoint import delete, find, get, post, websocket
from hearth_backend.api.exchange import Call, Listener, Reply
from hearth_backend.api.routes.tasks import TaskPage
from hearth_shared.protocol.principals import Scope
from hearth_shared.protocol.tasks import TaskAccepted, TaskList, TaskRequest

pytestmark = pytest.mark.unit


async def answer(call: Call) -> Reply:
    return Reply()


async def take(call: Call, body: object) -> Reply:
    return Reply()


async def hear(call: Call, socket: Listener) -> None:
    pass


ENDPOINTS = [
    endpoint.needing(Scope.TASKS)
    for endpoint in (
        find("/v1/tasks", TaskPage, take, "Tasks.", answer=TaskList),
        post("/v1/agents/{agent_id}/tasks", TaskRequest, take, "Submit.", answer=TaskAccepted, status=202),
        delete("/v1/models/{model_id:path}", answer, "Remove."),
        websocket("/v1/events", hear, "Events."),
    )
]
ENDPOINTS.append(get("/healthz", answer, "Life.").open())
DOCUMENT = openapi.document(ENDPOINTS)


def test_every_http_route_is_described_and_no_websocket() -> None:
    assert {path: sorted(methods) for path, methods in DOCUMENT["paths"].items()} == {
        "/v1/tasks": ["get"],
        "/v1/agents/{agent_id}/tasks": ["post"],
        "/v1/models/{model_id}": ["delete"],
        "/healthz": ["get"],
    }


def test_the_scope_is_told_and_an_open_route_needs_no_token() -> None:
    assert DOCUMENT["paths"]["/v1/tasks"]["get"]["x-scope"] == ["tasks"]
    assert DOCUMENT["paths"]["/healthz"]["get"]["security"] == []
    assert DOCUMENT["security"] == [{"token": []}]


def test_every_reference_leads_to_a_schema_that_is_there() -> None:
    references = set(re.findall(r"'#/components/schemas/(\w+)'", str(DOCUMENT)))
    assert references >= {"TaskRequest", "TaskAccepted", "TaskList", "Problem"}
    assert references <= set(DOCUMENT["components"]["schemas"])


def test_path_and_query_parameters_are_described() -> None:
    listing = DOCUMENT["paths"]["/v1/tasks"]["get"]["parameters"]
    assert {parameter["name"] for parameter in listing} == {"status", "limit", "after"}
    assert DOCUMENT["paths"]["/v1/models/{model_id}"]["delete"]["parameters"][0]["in"] == "path"
