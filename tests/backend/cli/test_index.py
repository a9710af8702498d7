import json
from typing import Any

import pytest

from support.shell import hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration
BUILDING: dict[str, Any] = {"state": "building", "detail": "It is being made.", "fix": "", "done": 3, "total": 9}
READY: dict[str, Any] = {"state": "ready", "detail": "9 vectors in Chroma.", "fix": "", "done": 9, "total": 9}


def test_it_is_followed_until_it_is_made(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/memory/reindex"] = lambda asked: BUILDING
    backend.routes["GET", "/v1/memory/index"] = lambda asked: READY
    assert hearth("memory", "reindex").out == "9 vectors in Chroma.\n"


def test_without_waiting_it_says_how_far_it_is(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/memory/reindex"] = lambda asked: BUILDING
    outcome = hearth("memory", "reindex", "--no-wait", "--json")
    assert (json.loads(outcome.out), outcome.status) == (BUILDING, 0)


def test_what_cannot_be_made_is_a_failure_with_its_fix(backend: SmallBackend) -> None:
    absent = {**READY, "state": "absent", "detail": "Chroma is not installed.", "fix": "Install it."}
    backend.routes["POST", "/v1/memory/reindex"] = lambda asked: absent
    outcome = hearth("memory", "reindex")
    assert (outcome.out, outcome.status) == ("Chroma is not installed. Install it.\n", 1)
