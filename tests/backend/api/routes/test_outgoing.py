"""What would leave is shown before it leaves, and is what leaves then."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend, running
from support.planted import PLANTED
from support.provider import words
from support.scripted_server import Scripted

pytestmark = pytest.mark.integration

MAIL = PLANTED[0].value
CARD = next(planted.value for planted in PLANTED if planted.kind == "CARD")
CLOUD = """
[providers.sky]
url = "{url}"
where = "cloud"
model = "m"
[memory]
enabled = true
"""
AHEAD = """
[providers.near]
url = "{url}"
where = "this machine"
model = "m"
"""


@pytest.fixture(scope="module")
def sky() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


@pytest.fixture(scope="module")
def cloudy(sky: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend with nothing but a cloud to ask."""
    config, environ = CLOUD.format(url=sky.model.url), {"HEARTH_KEY_SKY": "k"}
    with running(tmp_path_factory.mktemp("cloudy") / "home", config, environ=environ) as backend:
        yield backend


def test_what_is_shown_is_what_is_sent_then(cloudy: Backend, sky: Scripted) -> None:
    door = cloudy.door()
    said = {"text": f"Is {MAIL} in the file?", "context": {"files": [{"name": "a.txt", "text": f"card {CARD}"}]}}
    sky.does(words("Yes, ", "it is."))
    shown = door.post("/v1/outgoing", json=said).json()
    assert sky.model.calls == []
    assert door.get("/v1/threads").json()["threads"] == []
    thread = door.post("/v1/threads", json={}).json()["id"]
    _answered(door.post(f"/v1/threads/{thread}/messages", json=said, headers={"Accept": "text/event-stream"}).text)
    call = shown["calls"][0]
    assert (call["provider"], call["where"]) == ("sky", "cloud")
    assert call["url"] == f"{sky.model.url}/chat/completions"
    assert call["body"] == sky.model.calls[0].body
    assert call["hidden"] == ["<EMAIL_1>", "<CARD_2>"] or call["hidden"] == ["<CARD_1>", "<EMAIL_2>"]
    assert MAIL not in json.dumps(call)
    assert CARD not in json.dumps(call)


def test_a_thread_that_was_talked_in_goes_along_and_another_owners_is_not_there(cloudy: Backend, sky: Scripted) -> None:
    door = cloudy.door()
    sky.does(words("A word of its own."))
    thread = door.post("/v1/threads", json={}).json()["id"]
    said = {"text": "Tell me something."}
    _answered(door.post(f"/v1/threads/{thread}/messages", json=said, headers={"Accept": "text/event-stream"}).text)
    shown = door.post("/v1/outgoing", json={"text": "And then?", "thread_id": thread}).json()
    assert "A word of its own." in json.dumps(shown["calls"][0]["body"])
    assert len(sky.model.calls) == 1
    stranger = cloudy.program(Scope.CHAT)
    assert stranger.post("/v1/outgoing", json={"text": "And then?", "thread_id": thread}).status_code == 404


def test_what_is_to_stay_goes_nowhere(cloudy: Backend, sky: Scripted) -> None:
    sky.does(words("never"))
    shown = cloudy.door().post("/v1/outgoing", json={"text": "A secret.", "local_only": True}).json()
    assert shown["calls"] == []
    assert sky.model.calls == []


def test_a_model_of_this_machine_comes_first_and_nothing_leaves_for_it(sky: Scripted, tmp_path: Path) -> None:
    config = CLOUD.format(url=sky.model.url) + AHEAD.format(url=sky.model.url)
    sky.does(words("never"))
    with running(tmp_path / "home", config, environ={"HEARTH_KEY_SKY": "k"}) as backend:
        shown = backend.door().post("/v1/outgoing", json={"text": f"Who is {MAIL}?"}).json()
    assert [(call["provider"], call["body"] is None) for call in shown["calls"]] == [("near", True), ("sky", False)]
    assert sky.model.calls == []


def _answered(events: str) -> None:
    assert "task.finished" in events, events
