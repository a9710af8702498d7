import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend

pytestmark = pytest.mark.integration
STATES = {"resting", "examining", "ready", "building", "unwell", "absent"}


def test_how_it_is_can_be_read_with_the_status(backend: Backend) -> None:
    answer = backend.door().get("/v1/memory/index")
    assert (answer.status_code, answer.json()["state"] in STATES) == (200, True)
    components = backend.door().get("/v1/status").json()["components"]
    assert "index" in {component["name"] for component in components}


def test_a_program_that_may_write_memories_may_not_have_it_made_anew(backend: Backend) -> None:
    refused = backend.program(Scope.MEMORY_WRITE, Scope.MEMORY_READ).post("/v1/memory/reindex", json={})
    assert refused.status_code == 403


def test_the_doctor_has_a_line_for_it(backend: Backend) -> None:
    checks = backend.door().get("/v1/doctor").json()["checks"]
    assert "index" in {check["name"] for check in checks}
