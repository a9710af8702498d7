import time

import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend

pytestmark = pytest.mark.integration
LONGEST_S = 60.0


def read(backend: Backend) -> None:
    """Wait until all that is stored is read for facts."""
    end = time.monotonic() + LONGEST_S
    while backend.door().get("/v1/status").json()["memory"]["to_read"]:
        assert time.monotonic() < end


def test_what_is_said_is_a_fact_with_its_evidence(backend: Backend) -> None:
    tray = backend.door()
    episodes = [
        {"external_id": str(day), "occurred_at": f"2026-03-0{day}T10:00:00Z", "text": text, "speaker": "me"}
        for day, text in enumerate(("I live in Leipzig.", "I moved to Halle.", "Shall we go?"), 1)
    ]
    stored = tray.post("/v1/memory/episodes", json={"space": "said", "episodes": episodes}).json()
    read(backend)
    (fact,) = tray.get("/v1/memory/facts?space=said").json()["facts"]
    assert (fact["text"], fact["trusted"]) == ("You live in Halle", True)
    then = tray.get("/v1/memory/facts?space=said&at=2026-03-01T12:00:00Z").json()["facts"]
    assert [one["value"] for one in then] == ["Leipzig"]
    why = tray.get(f"/v1/memory/why?id={fact['id']}").json()
    assert [one["episode_id"] for one in why["evidence"]] == [stored["ids"][1]]
    assert tray.get("/v1/memory/facts?space=said&known_at=2026-03-05T00:00:00Z").json()["facts"] == []


def test_a_fact_is_added_ended_and_taken_back(backend: Backend) -> None:
    tray = backend.door()
    added = tray.post("/v1/memory/facts", json={"space": "told", "predicate": "works_at", "value": "Acme"})
    assert added.status_code == 201
    fact = added.json()["fact"]["id"]
    assert tray.post(f"/v1/memory/facts/{fact}/end", json={}).json()["valid_to"] is not None
    assert tray.post(f"/v1/memory/facts/{fact}/end", json={}).status_code == 400
    assert tray.post(f"/v1/memory/facts/{fact}/retract", json={}).json()["retracted_at"] is not None
    assert tray.post("/v1/memory/facts/fct_no/retract", json={}).status_code == 404


def test_a_programs_fact_closes_nothing_that_the_person_said(backend: Backend) -> None:
    tray = backend.door()
    program = backend.over_tcp(backend.token(Scope.MEMORY_READ, Scope.MEMORY_WRITE, spaces=("shared",)).text)
    tray.post("/v1/memory/facts", json={"space": "shared", "predicate": "lives_in", "value": "Halle"})
    program.post("/v1/memory/facts", json={"space": "shared", "predicate": "lives_in", "value": "Oslo"})
    facts = program.get("/v1/memory/facts?space=shared").json()["facts"]
    assert {(one["value"], one["trusted"]) for one in facts} == {("Halle", True), ("Oslo", False)}
    assert program.get("/v1/memory/facts?space=told").status_code == 404
    assert program.post("/v1/memory/facts", json={"predicate": "likes", "value": "x"}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"predicate": "Lives In", "value": "x"},
        {"predicate": "likes", "value": ""},
        {"predicate": "likes", "value": "x" * 201},
        {"predicate": "likes"},
        {"predicate": "likes", "value": "x", "valid_from": "2026-01-01T00:00:00"},
    ],
)
def test_what_is_no_fact_is_refused_with_the_fix(backend: Backend, body: dict[str, str]) -> None:
    answer = backend.door().post("/v1/memory/facts", json=body)
    assert answer.status_code == 422
    assert answer.json()["fix"]


@pytest.mark.parametrize("text", ["🦊 مرحبا", "a\u0000b", '"; drop table fact; --', "x " * 90])
def test_any_words_may_be_a_value_and_a_question(backend: Backend, text: str) -> None:
    tray = backend.door()
    body = {"space": "odd", "subject": text, "predicate": "likes", "value": text}
    assert tray.post("/v1/memory/facts", json=body).status_code == 201
    found = tray.get("/v1/memory/facts", params={"space": "odd", "query": text, "limit": 1})
    assert found.status_code == 200
