"""The OpenAPI 3.1 document, written by FastAPI from the same route table that the gate uses.

FastAPI describes the API; it does not serve it (docs/decisions/0006): a bare FastAPI echo costs about as much as
Hearth's whole answer, gate included.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

from hearth_backend.api.endpoint import Endpoint
from hearth_shared import __version__
from hearth_shared.protocol.base import Json
from hearth_shared.protocol.problems import Problem

_FIELD: Final = re.compile(r"\{(\w+)(?::path)?\}")
_EVENTS: Final[Json] = {"text/event-stream": {"schema": {"type": "string"}}}
_PROBLEM: Final[Json] = {"$ref": "#/components/schemas/Problem"}
_SECURITY: Final[Json] = {"token": {"type": "http", "scheme": "bearer"}}


def document(endpoints: Sequence[Endpoint]) -> Json:
    """The document; WebSockets, which OpenAPI cannot say, are left out."""
    # Imported when the document is first asked for: half a second of CPU and 30 MB that no answer needs.
    from fastapi import FastAPI
    from fastapi.routing import APIRoute

    app = FastAPI(title="Hearth", version=__version__, license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"})
    app.router.routes.clear()  # FastAPI's own pages for the document
    for endpoint in endpoints:
        if endpoint.method != "WS":
            app.router.routes.append(APIRoute(**_described(endpoint)))
    return {**_completed(app.openapi()), "security": [{"token": []}]}


def _described(endpoint: Endpoint) -> dict[str, Any]:
    native = endpoint.dialect == "native"
    return {
        "path": _FIELD.sub(r"{\1}", endpoint.path),
        "endpoint": _signed(endpoint),
        "methods": [endpoint.method],
        "summary": endpoint.summary,
        "operation_id": re.sub(r"\W+", "_", f"{endpoint.method.lower()}{endpoint.path}").strip("_"),
        "status_code": endpoint.status,
        "response_model": endpoint.answer,
        "response_description": "Done.",
        "responses": {**_events(endpoint), "default": _failure(native)},
        "openapi_extra": {
            "x-scope": sorted(endpoint.scopes or ()),
            **({} if endpoint.scopes or endpoint.for_bridge else {"security": []}),
        },
    }


def _signed(endpoint: Endpoint) -> Any:
    """A function of the endpoint's parameters, which is what FastAPI reads them from."""

    async def described() -> None: ...

    described.__signature__ = inspect.Signature(list(_parameters(endpoint)))  # type: ignore[attr-defined]
    return described


def _parameters(endpoint: Endpoint) -> Iterator[inspect.Parameter]:
    from fastapi import Path, Query

    def named(name: str, annotation: Any) -> inspect.Parameter:
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)

    for name in _FIELD.findall(endpoint.path):
        yield named(name, Annotated[str, Path(min_length=1)])
    if endpoint.query is not None:
        yield named("query_string", Annotated[endpoint.query, Query()])
    if endpoint.body is not None:
        yield named("body", endpoint.body)


def _events(endpoint: Endpoint) -> dict[int | str, Json]:
    if endpoint.kind == "lasting" and endpoint.answer is None:
        return {endpoint.status: {"description": "Done.", "content": _EVENTS}}
    if endpoint.kind == "lasting" and endpoint.takes_body:
        return {200: {"description": "The run's events.", "content": _EVENTS}}
    return {}


def _failure(native: bool) -> Json:
    if native:
        content = {"application/problem+json": {"schema": _PROBLEM}}
        return {"description": "A problem (RFC 9457).", "content": content}
    return {"description": "An error in the shape of this dialect.", "content": {"application/json": {}}}


def _completed(said: Json) -> Json:
    """With our own failures instead of FastAPI's 422, and how to show a credential."""
    for operation in (operation for path in said["paths"].values() for operation in path.values()):
        operation["responses"].pop("422", None)
    components: Json = said.setdefault("components", {})
    schemas: Json = components.setdefault("schemas", {})
    for own in ("HTTPValidationError", "ValidationError"):
        schemas.pop(own, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["securitySchemes"] = _SECURITY
    return said
