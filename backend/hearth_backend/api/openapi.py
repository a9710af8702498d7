"""The OpenAPI 3.1 document, from the same route table that the gate uses.

Made here from pydantic's own JSON Schema: FastAPI would bring a second router and 240 ms of start-up for it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from hearth_backend.api.endpoint import Endpoint
from hearth_shared import __version__
from hearth_shared.protocol.base import Json
from hearth_shared.protocol.problems import Problem

_FIELD: Final = re.compile(r"\{(\w+)(?::path)?\}")
_REFERENCE: Final = "#/components/schemas/{model}"
_EVENTS: Final[Json] = {"text/event-stream": {"schema": {"type": "string"}}}
Kind = Literal["validation", "serialization"]
Schemas = Mapping[Any, Json]


def document(endpoints: Sequence[Endpoint]) -> Json:
    """The document; WebSockets, which OpenAPI cannot say, are left out."""
    described = [endpoint for endpoint in endpoints if endpoint.method != "WS"]
    schemas, definitions = models_json_schema(sorted(_models(described), key=str), ref_template=_REFERENCE)
    paths: dict[str, Json] = {}
    for endpoint in described:
        path = _FIELD.sub(r"{\1}", endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hearth", "version": __version__, "license": {"name": "Apache-2.0"}},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _models(endpoints: Iterable[Endpoint]) -> set[tuple[type[BaseModel], Kind]]:
    found: set[tuple[type[BaseModel], Kind]] = {(Problem, "serialization")}
    for endpoint in endpoints:
        if endpoint.body is not None:
            found.add((endpoint.body, "validation"))
        if endpoint.answer is not None:
            found.add((endpoint.answer, "serialization"))
    return found


def _operation(endpoint: Endpoint, schemas: Schemas) -> Json:
    scopes = sorted(endpoint.scopes or ())
    operation: Json = {
        "operationId": re.sub(r"\W+", "_", f"{endpoint.method.lower()}{endpoint.path}").strip("_"),
        "summary": endpoint.summary,
        "x-scope": scopes,
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint)],
        "responses": _responses(endpoint, schemas),
    }
    if not scopes:
        operation["security"] = []
    if endpoint.body is not None:
        content = {"application/json": {"schema": schemas[endpoint.body, "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _responses(endpoint: Endpoint, schemas: Schemas) -> Json:
    good: Json = {"description": "Done."}
    if endpoint.answer is not None:
        good["content"] = {"application/json": {"schema": schemas[endpoint.answer, "serialization"]}}
    responses: Json = {str(endpoint.status): good}
    if endpoint.kind == "lasting" and endpoint.answer is None:
        good["content"] = _EVENTS
    elif endpoint.kind == "lasting" and endpoint.takes_body:
        responses["200"] = {"description": "The run's events.", "content": _EVENTS}
    problem = {"application/problem+json": {"schema": schemas[Problem, "serialization"]}}
    if endpoint.dialect == "native":
        responses["default"] = {"description": "A problem (RFC 9457).", "content": problem}
    else:
        responses["default"] = {"description": "OpenAI's error object.", "content": {"application/json": {}}}
    return responses


def _path_parameters(endpoint: Endpoint) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _FIELD.findall(endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint) -> list[Json]:
    if endpoint.query is None:
        return []
    schema: dict[str, Any] = endpoint.query.model_json_schema()
    definitions: Json = schema.get("$defs", {})
    needed = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _inlined(described, definitions)}
        for name, described in schema.get("properties", {}).items()
    ]


def _inlined(schema: Any, definitions: Json) -> Any:
    """Query schemas are small: references are written out."""
    match schema:
        case {"$ref": str(reference)}:
            return _inlined(definitions[reference.rpartition("/")[2]], definitions)
        case dict():
            return {key: _inlined(value, definitions) for key, value in schema.items()}  # pyright: ignore[reportUnknownVariableType]
        case list():
            return [_inlined(value, definitions) for value in schema]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return schema
