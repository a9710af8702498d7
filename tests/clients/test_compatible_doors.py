"""Every compatible door that streams, with every fault behind it and with whatever its schema allows: no 500, and each
stream ends with the terminator of its dialect or with an error that it states, never with both or neither."""

import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.schemas import BaseSchema

from hearth_shared.protocol.principals import Scope
from support import faults
from support.backend import Backend, running
from support.provider import Behaviour, words
from support.scripted_server import Scripted

pytestmark = pytest.mark.fuzz

_ROOMY = "[server]\nthird_party_per_minute = 1000000\nthird_party_burst = 1000000\nfirst_party_burst = 100000\n"
# What takes long by its nature is tried on the gateway alone.
_SLOW = faults.SILENT | {"64 MiB body", "endless line"}
FAULTS = {name: fault for name, fault in {**faults.OPENING, **faults.MIDDLE}.items() if name not in _SLOW}
BROKEN = (500, 501)
EXAMPLES = int(os.environ.get("HEARTH_FUZZ_EXAMPLES", "3"))
_SUPPRESSED = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
HI = [{"role": "user", "content": "hi"}]


@dataclass(frozen=True)
class Door:
    """A streaming call of a dialect, and how the last thing said tells a good end from a stated error."""

    path: str
    body: Mapping[str, Any]
    is_good: Callable[[str], bool]
    is_error: Callable[[str], bool]


def _data(last: str) -> Any:
    return json.loads(last.partition("data: ")[2])


def _chat_like(path: str, **body: Any) -> Door:
    return Door(path, body, lambda last: last == "data: [DONE]", lambda last: '"error"' in last)


def _line_like(path: str, **body: Any) -> Door:
    return Door(path, body, lambda last: json.loads(last).get("done") is True, lambda last: "error" in json.loads(last))


def _server_like(path: str, **body: Any) -> Door:
    return Door(
        path,
        body,
        lambda last: last.startswith("data:") and _data(last)["stop"] is True,
        lambda last: last.startswith("error:"),
    )


DOORS = (
    _chat_like("/v1/chat/completions", messages=HI, stream=True),
    _chat_like("/v1/chat/completions", messages=HI, stream=True, n=2, stream_options={"include_usage": True}),
    _chat_like("/v1/completions", prompt="a", suffix="b", stream=True),
    Door(
        "/v1/responses",
        {"input": "hi", "stream": True},
        lambda last: _data(last)["type"] in ("response.completed", "response.incomplete"),
        lambda last: _data(last)["type"] in ("response.failed", "error"),
    ),
    Door(
        "/v1/messages",
        {"messages": HI, "max_tokens": 8, "stream": True},
        lambda last: last.startswith("event: message_stop"),
        lambda last: last.startswith("event: error"),
    ),
    _line_like("/api/chat", messages=HI),
    _line_like("/api/generate", prompt="hi"),
    _server_like("/completion", prompt="hi", stream=True),
    _server_like("/infill", input_prefix="a", input_suffix="b", stream=True),
)


@dataclass
class House:
    """A backend, a program's way in, and the model behind it."""

    client: httpx2.Client
    scripted: Scripted
    document: dict[str, Any]

    def does(self, *behaviours: Behaviour) -> str:
        """The name of a model that nobody asked yet, whose breaker is closed."""
        self.scripted.does(*behaviours)
        return f"desk/m{next(_NUMBERS)}"


_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("doors") / "home"
    with Scripted() as scripted, running(folder, _ROOMY + scripted.config) as backend:
        document = backend.door().get("/v1/openapi.json").json()
        yield House(_program(backend), scripted, document)


def _program(backend: Backend) -> httpx2.Client:
    return backend.program(Scope.CHAT, Scope.COMPLETE)


@pytest.fixture(scope="module")
def api(house: House) -> BaseSchema:
    return schemathesis.openapi.from_dict(house.document)


def ends_as_it_should(door: Door, answer: httpx2.Response) -> bool:
    """A whole error before the first piece, or a stream that ends in exactly one of the two ways."""
    if answer.status_code != 200:
        return answer.status_code not in BROKEN and '"error"' in answer.text
    separator = "\n" if "ndjson" in answer.headers["content-type"] else "\n\n"
    said = [piece for piece in answer.text.split(separator) if piece.strip()]
    return bool(said) and answer.text.endswith(separator) and door.is_good(said[-1]) != door.is_error(said[-1])


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.path)
def test_a_stream_that_breaks_states_its_error_and_a_whole_one_its_end(house: House, door: Door) -> None:
    model = house.does(words("one ", "two"))
    answer = house.client.post(door.path, json={**door.body, "model": model})
    assert answer.status_code == 200
    assert ends_as_it_should(door, answer)
    for name, fault in FAULTS.items():
        model = house.does(fault(False))
        answer = house.client.post(door.path, json={**door.body, "model": model})
        assert ends_as_it_should(door, answer), (name, answer.status_code, answer.text)
        if answer.status_code == 200 and name in faults.MIDDLE:
            assert not door.is_good(_last(answer.text)), name


def _last(text: str) -> str:
    separator = "\n\n" if "\n\n" in text else "\n"
    return [piece for piece in text.split(separator) if piece.strip()][-1]


@pytest.mark.parametrize("path", sorted({door.path for door in DOORS}))
def test_whatever_a_doors_schema_allows_there_is_no_500_and_no_stream_without_an_end(
    house: House, api: BaseSchema, path: str
) -> None:
    operation = cast("Any", api[path])["POST"]
    door = next(door for door in DOORS if door.path == path)
    model = house.does(words("one ", "two"))

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=_SUPPRESSED)
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def ask(case: Any) -> None:
        body = cast("dict[str, Any]", case.body) | {"model": model}
        content = json.dumps(body).encode()
        answer = house.client.post(path, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code not in BROKEN, (body, answer.text)
        if answer.headers.get("content-type", "").startswith(("text/event-stream", "application/x-ndjson")):
            assert ends_as_it_should(door, answer), (body, answer.text)

    ask()
