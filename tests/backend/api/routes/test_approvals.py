import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend

pytestmark = pytest.mark.integration


def test_rules_are_listed_and_a_broken_policy_names_its_line(backend: Backend) -> None:
    door, path = backend.door(), backend.home.policy
    assert door.get("/v1/approvals/rules").json() == {"rules": [], "problem": ""}
    path.write_text('[[rule]]\ntool = "shell"\ndecision = "deny"\n')
    (rule,) = door.get("/v1/approvals/rules").json()["rules"]
    assert (rule["tool"], rule["state"], rule["source"]) == ("shell", "written", "policy.toml line 1")
    path.write_text('[[rule]]\ntool = "shell"\ndecision = 3\n')
    assert "line 3" in door.get("/v1/approvals/rules").json()["problem"]
    components = {one["name"]: one for one in door.get("/v1/status").json()["components"]}
    assert "line 3" in components["policy"]["detail"]
    path.unlink()


def test_a_rule_that_is_not_there_is_said(backend: Backend) -> None:
    door = backend.door()
    assert door.post("/v1/approvals/rules/rule_x", json={"decision": "accept"}).status_code == 404
    assert door.delete("/v1/approvals/rules/rule_x").status_code == 404


def test_a_program_with_a_token_sees_no_rules(backend: Backend) -> None:
    assert backend.program(Scope.APPROVALS_READ).get("/v1/approvals/rules").status_code == 403


def test_a_task_that_changed_nothing_has_nothing_to_undo(backend: Backend) -> None:
    door = backend.door()
    task_id = door.post("/v1/agents/assistant/tasks", json={"goal": "hello"}).json()["task_id"]
    with door.stream("GET", f"/v1/tasks/{task_id}/events") as events:
        assert "task.finished" in "".join(events.iter_text())
    refused = door.post(f"/v1/tasks/{task_id}/undo", json={})
    assert refused.status_code == 404
    assert "nothing to undo" in refused.json()["detail"]
    assert backend.program(Scope.TASKS).post(f"/v1/tasks/{task_id}/undo", json={}).status_code == 404
