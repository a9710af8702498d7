import json
from datetime import UTC, datetime, timedelta

import pytest

from support.shell import hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration

EPISODE = {
    "id": "epi_1",
    "space": "main",
    "external_id": "x",
    "source": "person",
    "session": "",
    "speaker": "Ann",
    "occurred_at": (datetime.now(UTC) - timedelta(days=3, hours=2)).isoformat().replace("+00:00", "Z"),
    "recorded_at": "2026-01-01T00:00:00Z",
    "text": "The lease ends\nin May.",
    "trusted": True,
}
SHOWN = "epi_1  person · Ann · 3 d ago\n    The lease ends in May.\n"


def test_search_shows_what_was_said_by_whom_and_when(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/memory/search"] = lambda asked: {
        "results": [EPISODE],
        "degraded": ["Searched by words only."],
    }
    assert hearth("memory", "search", "when", "lease").out == f"{SHOWN}Searched by words only.\n"
    assert backend.asked[0].body == {"query": "when lease", "k": 20, "space": "main"}


def test_nothing_found_is_said(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/memory/search"] = lambda asked: {"results": [], "degraded": []}
    assert hearth("memory", "search", "x").out == "Nothing like it is remembered.\n"
    assert json.loads(hearth("memory", "search", "x", "--json").out)["results"] == []


def test_add_remembers_with_the_time_it_was_said(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/memory/episodes"] = lambda asked: {"ids": ["epi_1"], "new": 1}
    assert hearth("memory", "add", "-", stdin="The lease ends in May.\n").out == "Remembered, as epi_1.\n"
    body = backend.asked[0].body
    assert body["space"] == "main"
    assert body["episodes"][0]["text"] == "The lease ends in May."
    assert datetime.fromisoformat(body["episodes"][0]["occurred_at"]).tzinfo is not None
    assert json.loads(hearth("memory", "add", "x", "--json").out)["new"] == 1


def test_list_pages_by_space(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/memory/episodes"] = lambda asked: {"episodes": [{**EPISODE, "trusted": False}]}
    assert "· not from you" in hearth("memory", "list", "--space", "work", "--limit", "5").out
    assert backend.asked[0].query == {"space": ["work"], "limit": ["5"]}


def test_search_is_narrowed_and_says_why(backend: SmallBackend) -> None:
    beside = [
        {"id": "epi_0", "distance": -1, "speaker": "Bo", "text": "When does it end?"},
        {"id": "epi_2", "distance": 1, "speaker": "", "text": "Ah."},
    ]
    hit = {**EPISODE, "why": ["It shares words with the question (+1.00)."], "neighbours": beside}
    backend.routes["POST", "/v1/memory/search"] = lambda asked: {"results": [hit], "degraded": []}
    narrow = ("--site", "example.org", "--door", "browser", "--after", "2025-05-01", "--words", "--around", "1")
    said = hearth("memory", "search", "lease", "--why", *narrow).out
    assert said == f"    Bo: When does it end?\n{SHOWN}    Ah.\n    It shares words with the question (+1.00).\n"
    body = backend.asked[0].body
    assert (body["sites"], body["doors"], body["words_only"], body["neighbours"]) == (
        ["example.org"],
        ["browser"],
        True,
        1,
    )
    assert datetime.fromisoformat(body["after"]).date().isoformat() == "2025-05-01"


def test_a_time_that_is_none_is_said(backend: SmallBackend) -> None:
    failed = hearth("memory", "search", "lease", "--after", "soon")
    assert "soon is no time." in failed.err
    assert backend.asked == []
