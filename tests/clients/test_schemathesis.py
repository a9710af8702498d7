"""Every route, asked what its OpenAPI document allows and what it forbids: an answer, never a 500."""

from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.schemas import BaseSchema

from support.backend import Backend
from support.routes import ROUTES, Route

pytestmark = pytest.mark.fuzz

# Endless, or as long as its checks take.
_LONG = ("/v1/events", "/v1/tasks/{task_id}/events", "/v1/doctor")
FINITE = [route for route in ROUTES if route.path not in _LONG]
_SUPPRESSED = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
BROKEN = (500, 501, 502, 504)


@pytest.fixture(scope="module")
def api(shared_backend: Backend) -> BaseSchema:
    document = shared_backend.door().get("/v1/openapi.json").json()
    return schemathesis.openapi.from_dict(document)


@pytest.fixture(scope="module")
def there(shared_backend: Backend) -> dict[str, str]:
    """Names of things that exist, by the path's parameter."""
    door = shared_backend.door()
    thread = door.post("/v1/threads", json={}).json()["id"]
    return {"agent_id": "assistant", "thread_id": thread, "provider": "openai", "model_id": "all-minilm-l6-v2"}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "forbidden"])
@pytest.mark.parametrize("route", FINITE, ids=str)
def test_no_request_breaks_the_backend(
    backend: Backend, api: BaseSchema, there: dict[str, str], route: Route, mode: GenerationMode
) -> None:
    operation = cast("Any", api[route.path])[route.method]
    if mode is GenerationMode.NEGATIVE and not takes_anything(operation):
        return

    @settings(max_examples=10, deadline=None, database=None, suppress_health_check=_SUPPRESSED)
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            case.path_parameters.update({name: there[name] for name in case.path_parameters.keys() & there.keys()})
        status, body = asked(backend, case)
        assert status not in BROKEN, (case.as_curl_command(), body)

    ask()


def takes_anything(operation: Any) -> bool:
    """Whether there is something to get wrong."""
    return bool(operation.body or operation.query or operation.path_parameters)


def asked(backend: Backend, case: Any) -> tuple[int, bytes]:
    """The answer of the tray's door."""
    sent: dict[str, Any] = case.as_transport_kwargs(base_url="http://localhost")
    headers = {name: str(value).encode("utf-8", "replace") for name, value in dict(sent.get("headers") or {}).items()}
    content = sent.get("data") if isinstance(sent.get("data"), bytes | str) else None
    with backend.door().stream(
        sent["method"],
        sent["url"].removeprefix("http://localhost"),
        params=sent.get("params"),
        headers={name: value for name, value in headers.items() if name.lower() not in ("host", "authorization")},
        json=sent.get("json"),
        content=content,
    ) as answer:
        is_endless = answer.headers.get("content-type", "").startswith("text/event-stream")
        return answer.status_code, b"" if is_endless else answer.read()
