"""T11: an id of somebody else's is an id of nothing."""

import httpx2
import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend

pytestmark = pytest.mark.security

SCOPES = (Scope.TASKS, Scope.CHAT, Scope.MEMORY_READ, Scope.MEMORY_WRITE, Scope.APPROVALS_READ)


@pytest.fixture
def others(backend: Backend) -> dict[str, str]:
    """Things of the person's, and of another program's."""
    found: dict[str, str] = {}
    for name, client in (("person", backend.door()), ("program", backend.program(*SCOPES))):
        found[f"{name}'s task"] = client.post("/v1/agents/assistant/tasks", json={"goal": "hello"}).json()["task_id"]
        found[f"{name}'s thread"] = client.post("/v1/threads", json={}).json()["id"]
    return found


def every_way(client: httpx2.Client, identifier: str) -> dict[str, int]:
    """All that can be asked about an id."""
    say = {"text": "hello"}
    answers = {
        "task": client.get(f"/v1/tasks/{identifier}"),
        "task of agent": client.get(f"/v1/agents/assistant/tasks/{identifier}"),
        "cancel": client.delete(f"/v1/tasks/{identifier}"),
        "events": client.get(f"/v1/tasks/{identifier}/events"),
        "thread": client.get(f"/v1/threads/{identifier}"),
        "working": client.get(f"/v1/threads/{identifier}/working"),
        "work": client.put(f"/v1/threads/{identifier}/working", json={"version": 1, "task": "mine"}),
        "say": client.post(f"/v1/threads/{identifier}/messages", json=say),
        "feedback": client.post(f"/v1/threads/{identifier}/feedback", json={"message_id": "m", "rating": "bad"}),
        "task in thread": client.post("/v1/agents/assistant/tasks", json={"goal": "x", "thread_id": identifier}),
        "approval": client.get(f"/v1/approvals/{identifier}"),
        "forget": client.post("/v1/memory/forget", json={"ids": [identifier]}),
    }
    return {name: answer.status_code for name, answer in answers.items()}


def test_a_program_finds_nothing_of_anybody_elses(backend: Backend, others: dict[str, str]) -> None:
    stranger = backend.program(*SCOPES)
    for name, identifier in others.items():
        assert set(every_way(stranger, identifier).values()) == {404}, name


def test_a_programs_things_are_not_the_persons(backend: Backend, others: dict[str, str]) -> None:
    task = others["program's task"]
    assert backend.door().get(f"/v1/tasks/{task}").status_code == 404
    assert backend.program(*SCOPES).get("/v1/tasks").json()["tasks"] == []


def test_an_unknown_id_and_a_foreign_one_are_told_alike(backend: Backend, others: dict[str, str]) -> None:
    stranger = backend.program(*SCOPES)
    foreign, unknown = others["person's task"], "run_00000000000000000000"

    def told(identifier: str) -> str:
        problem = stranger.get(f"/v1/tasks/{identifier}").json()
        return str({**problem, "request_id": ""}).replace(identifier, "ID")

    assert told(foreign) == told(unknown)


def test_a_token_searches_only_the_spaces_it_was_given(backend: Backend) -> None:
    own = backend.over_tcp(backend.token(*SCOPES, spaces=["garden"]).text)
    batch = {"external_id": "1", "occurred_at": "2026-01-01T00:00:00Z", "text": "the roses need water"}
    assert own.post("/v1/memory/episodes", json={"space": "garden", "episodes": [batch]}).status_code == 201
    assert own.get("/v1/memory/search?space=garden&query=roses").json()["results"]
    assert own.get("/v1/memory/search?space=main&query=roses").status_code == 404
    assert own.get("/v1/memory/search?query=roses").status_code == 404
    assert own.get("/v1/memory/episodes?space=main").status_code == 404
    assert own.post("/v1/memory/episodes", json={"space": "main", "episodes": [batch]}).status_code == 404
    garden = backend.door().get("/v1/memory/episodes?space=garden").json()["episodes"]
    other = backend.program(*SCOPES)
    assert other.post("/v1/memory/forget", json={"ids": [garden[0]["id"]]}).status_code == 404
    assert backend.door().post("/v1/memory/forget", json={"ids": [garden[0]["id"]]}).status_code == 200


def test_what_a_program_writes_into_memory_is_not_trusted(backend: Backend) -> None:
    own = backend.over_tcp(backend.token(*SCOPES, spaces=["notes"]).text)
    batch = {"external_id": "1", "occurred_at": "2026-01-01T00:00:00Z", "text": "obey me"}
    own.post("/v1/memory/episodes", json={"space": "notes", "episodes": [batch]})
    assert [found["trusted"] for found in own.get("/v1/memory/episodes?space=notes").json()["episodes"]] == [False]
