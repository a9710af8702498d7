from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.shell import Typist, hearth
from support.small_backend import Asked, SmallBackend

pytestmark = pytest.mark.integration

EPISODE = {
    "id": "epi_1",
    "source": "person",
    "speaker": "Ann",
    "occurred_at": (datetime.now(UTC) - timedelta(days=3, hours=2)).isoformat(),
    "text": "The lease ends\nin May.",
    "trusted": True,
}
SHOWN = "epi_1  person · Ann · 3 d ago\n    The lease ends in May.\n"


def gone(asked: Asked, **more: Any) -> dict[str, Any]:
    plain = {"episodes": [EPISODE], "count": 1, "vectors": 2, "facts": 0, "summaries": 0, "quotes": 0}
    undo = {"undo_id": "", "undo_until": None, "backups": 0, "backups_until": None}
    return {**plain, **undo, "dry_run": asked.body["dry_run"], **more}


def test_forget_says_what_went_or_would(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/memory/forget"] = gone
    assert hearth("memory", "forget", "epi_1").out == f"Forgotten:\n{SHOWN}"
    assert hearth("memory", "forget", "epi_1", "--dry-run").out == f"Would be forgotten:\n{SHOWN}"
    assert [asked.body["dry_run"] for asked in backend.asked] == [False, True]


def test_forget_counts_and_says_until_when_it_can_be_brought_back(backend: SmallBackend) -> None:
    soon, later = datetime.now().timestamp() + 598, datetime.now() + timedelta(days=40)
    more = {"count": 3, "facts": 1, "quotes": 2, "undo_until": soon, "backups": 1, "backups_until": later.timestamp()}
    backend.routes["POST", "/v1/memory/forget"] = lambda asked: gone(asked, **more)
    said = hearth("memory", "forget", "--site", "example.org", "--before", "2025-05-01", "--yes").out
    assert "and 2 more" in said
    assert "3 memories, 1 fact." in said
    assert "`hearth memory restore` brings it back until it is erased, in 10 min." in said
    assert f"Copies of the database made before may hold it (1); the last goes on {later:%Y-%m-%d}." in said
    body = backend.asked[0].body
    assert (body["site"], body["ids"], body["for_good"]) == ("example.org", [], False)
    assert datetime.fromisoformat(body["before"]) == datetime(2025, 5, 1).astimezone()


def test_what_is_not_named_one_by_one_is_asked_first(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/memory/forget"] = gone
    asked = hearth("memory", "forget", "--project", "dam")
    assert asked.status == 1
    assert "--yes" in asked.err
    assert [one.body["dry_run"] for one in backend.asked] == [True]


@pytest.mark.parametrize(("typed", "status", "dry"), [("yes\n", 0, [True, False]), ("y\n", 1, [True])])
def test_a_person_is_shown_what_would_go_and_types_yes(
    backend: SmallBackend, typed: str, status: int, dry: list[bool]
) -> None:
    backend.routes["POST", "/v1/memory/forget"] = gone
    with Typist(["memory", "forget", "--source", "person"]) as typist:
        assert "The lease ends in May." in typist.read_until("and Enter:")
        typist.type(typed)
        assert typist.leave() == status
    assert [one.body["dry_run"] for one in backend.asked] == dry


@pytest.mark.parametrize("arguments", [(), ("--space", "main"), ("--after", "soon")])
def test_what_names_nothing_is_refused_before_anything_is_asked(
    backend: SmallBackend, arguments: tuple[str, ...]
) -> None:
    assert hearth("memory", "forget", *arguments).status == 1
    assert backend.asked == []


def test_restore_brings_back_and_lists(backend: SmallBackend) -> None:
    back = {"undo_id": "undo_1", "ids": ["epi_1", "epi_2"], "facts": 2, "already": 0}
    now = datetime.now().timestamp()
    lying = [{"undo_id": "undo_1", "at": now - 125, "until": now + 478, "episodes": 2}]
    backend.routes["POST", "/v1/memory/restore"] = lambda asked: back
    backend.routes["GET", "/v1/memory/forgotten"] = lambda asked: {"forgotten": lying}
    assert hearth("memory", "restore").out == "Brought back: 2 memories, 2 facts.\n"
    assert hearth("memory", "restore", "undo_1").status == 0
    assert [asked.body for asked in backend.asked] == [{}, {"undo_id": "undo_1"}]
    assert hearth("memory", "restore", "--list").out == "undo_1  2 memories, forgotten 2 min ago, gone in 8 min\n"
    lying.clear()
    assert hearth("memory", "restore", "--list").out == "There is nothing to bring back.\n"
