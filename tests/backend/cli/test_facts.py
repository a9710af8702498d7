import json
from datetime import datetime
from pathlib import Path

import pytest

from hearth_shared.errors import NotFound
from support.shell import hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration

FACT = {
    "id": "fct_1",
    "space": "main",
    "subject": "me",
    "subject_id": "ent_1",
    "predicate": "lives_in",
    "value": "Halle",
    "object_id": "ent_2",
    "text": "You live in Halle",
    "valid_from": "2026-03-03T10:00:00Z",
    "valid_to": None,
    "recorded_at": "2026-03-03T10:00:01Z",
    "retracted_at": None,
    "superseded_by": None,
    "confidence": 0.9,
    "extractor": "rules",
    "trusted": True,
    "local_only": False,
}
ENTITY = {
    "id": "ent_1", "space": "main", "kind": "person", "name": "Lena", "aliases": ["Leni"], "distance": 0, "weight": 0.0,
    "community": None,
}  # fmt: skip
EVIDENCE = {
    "role": "says", "quote": "I moved to Halle.", "episode_id": "epi_1", "span_start": 0, "span_end": 16,
    "speaker": "me", "source": "person", "occurred_at": "2026-03-03T10:00:00Z", "at": "2026-03-03T10:00:00Z",
    "recorded_at": "2026-03-03T10:00:01Z", "extractor": "rules", "trusted": True,
}  # fmt: skip
SHOWN = "fct_1  since 2026-03-03\n    You live in Halle.\n"


def test_facts_are_listed_by_both_clocks(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/memory/facts"] = lambda asked: {"facts": [FACT], "more": True}
    told = hearth("memory", "facts", "home", "--about", "me", "--at", "2026-04-01", "--known-at", "2026-05-01T10:00")
    assert told.out == f"{SHOWN}There is more: --limit N shows it.\n"
    query = backend.asked[0].query
    assert query["query"] == ["home"]
    assert query["subject"] == ["me"]
    assert datetime.fromisoformat(query["known_at"][0]).tzinfo is not None
    assert json.loads(hearth("memory", "facts", "--history", "--json").out)["facts"][0]["id"] == "fct_1"


def test_nothing_known_is_said(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/memory/facts"] = lambda asked: {"facts": [], "more": False}
    assert hearth("memory", "facts").out == "Nothing is known of it.\n"


def test_what_is_no_time_is_refused_with_the_fix(backend: SmallBackend) -> None:
    told = hearth("memory", "facts", "--at", "soon")
    assert told.status == 1
    assert "2025-05-01" in told.err


def test_a_fact_ends_or_is_taken_back(backend: SmallBackend) -> None:
    ended = {**FACT, "valid_to": "2026-04-01T12:00:00Z", "text": "You lived in Halle"}
    backend.routes["POST", "/v1/memory/facts/fct_1/end"] = lambda asked: ended
    backend.routes["POST", "/v1/memory/facts/fct_1/retract"] = lambda asked: {
        **FACT,
        "retracted_at": FACT["valid_from"],
    }
    assert "until 2026-04-01" in hearth("memory", "facts", "--end", "fct_1", "--at", "2026-04-01").out
    assert "· taken back" in hearth("memory", "facts", "--retract", "fct_1").out
    assert hearth("memory", "facts", "--retract", "fct_1", "--end", "fct_1").status == 1


def test_a_fact_is_added_in_so_many_words(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/memory/facts"] = lambda asked: {"fact": FACT, "outcome": "updated", "episode_id": "e"}
    told = hearth("memory", "add", "--fact", "lives_in", "Halle")
    assert told.out == f"Noted, in place of what was known:\n{SHOWN}"
    assert backend.asked[0].body == {"space": "main", "subject": "me", "predicate": "lives_in", "value": "Halle"}


def test_why_quotes_what_a_fact_rests_on(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/memory/why"] = lambda asked: {"facts": [FACT], "evidence": [EVIDENCE]}
    told = hearth("memory", "why", "fct_1").out
    assert told == f"{SHOWN}because epi_1  me, 2026-03-03 says so\n    “I moved to Halle.”\n"
    assert backend.asked[0].query == {"id": ["fct_1"]}


def test_an_unknown_fact_is_said_with_the_fix(backend: SmallBackend) -> None:
    def missing(asked: object) -> dict[str, object]:
        raise NotFound("There is no fact `fct_2` here.", "`hearth memory facts` shows ids.")

    backend.routes["GET", "/v1/memory/why"] = missing
    told = hearth("memory", "why", "fct_2")
    assert told.status == 1
    assert "hearth memory facts" in told.err


def test_the_graph_is_walked_and_shown(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/memory/graph"] = lambda asked: {"entities": [ENTITY], "facts": [FACT], "cut": False}
    backend.routes["GET", "/v1/memory/graph/central"] = lambda asked: {
        "entities": [{**ENTITY, "weight": 0.5, "community": 2}], "facts": [], "cut": False
    }  # fmt: skip
    assert hearth("memory", "graph", "Lena").out == f"Lena  person, also Leni\n{SHOWN}"
    assert hearth("memory", "graph", "--central").out == "Lena  person, also Leni  0.5  group 2\n"
    assert backend.asked[0].query == {"space": ["main"], "name": ["Lena"], "depth": ["1"]}


def test_the_way_between_two_is_told(backend: SmallBackend) -> None:
    other = {**ENTITY, "name": "Halle"}
    backend.routes["GET", "/v1/memory/graph/path"] = lambda asked: {"entities": [ENTITY, other], "facts": [FACT]}
    assert hearth("memory", "graph", "Lena", "--to", "Halle").out == f"Lena → Halle\n{SHOWN}"
    assert hearth("memory", "graph", "--to", "Halle").status == 1


def test_a_pattern_is_asked_and_its_answers_told(backend: SmallBackend) -> None:
    matches = [{"?who": "Lena", "?boss": "Sven"}]
    backend.routes["POST", "/v1/memory/graph/pattern"] = lambda asked: {"matches": matches, "cut": True}
    told = hearth(
        "memory", "graph", "--where", '?who works_at "Acme Ltd"', "--where", "?who ? ?boss", "--at", "2025-05-01"
    )
    assert told.out == "?boss = Sven, ?who = Lena\nThere is more: --limit N shows it.\n"
    body = backend.asked[0].body
    assert body["steps"] == [
        {"subject": "?who", "predicate": "works_at", "value": "Acme Ltd"},
        {"subject": "?who", "value": "?boss"},
    ]
    assert datetime.fromisoformat(body["at"]).tzinfo is not None


@pytest.mark.parametrize("edge", ["", "?who", "?who works_at", 'a "b c', "a b c d"])
def test_what_is_no_edge_is_refused_with_the_fix(backend: SmallBackend, edge: str) -> None:
    told = hearth("memory", "graph", "--where", edge)
    assert told.status == 1
    assert "is no edge of a pattern" in told.err
    assert backend.asked == []


def test_that_nothing_fits_is_said(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/memory/graph/pattern"] = lambda asked: {"matches": [], "cut": False}
    assert hearth("memory", "graph", "--where", "?a ? ?b").out == "Nothing known fits.\n"


def test_two_names_are_made_one(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/memory/graph/merge"] = lambda asked: ENTITY
    assert hearth("memory", "graph", "Lena", "--same-as", "Magdalena").out == "Magdalena is Lena from now on.\n"
    assert backend.asked[0].body == {"space": "main", "keep": "Lena", "gone": "Magdalena", "kind": "thing"}


def test_facts_are_taken_from_a_file(backend: SmallBackend, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("name,email\nLena,l@x.example\n")
    backend.routes["POST", "/v1/memory/graph/files"] = lambda asked: {
        "entries": 1, "facts": 1, "skipped": ["entry 2: it has no name"]
    }  # fmt: skip
    told = hearth("memory", "graph", "--file", str(tmp_path / "people.csv")).out
    assert told == "Entries kept: 1; new facts: 1.\n    left out: entry 2: it has no name\n"
    assert backend.asked[0].body["name"] == "people.csv"
