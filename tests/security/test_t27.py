"""T27: nobody decides who was not given it. Editors decide while the person's grant holds, one card at a time; and
nothing that asks for leave, nor any program, browser or editor, can give or keep that grant by itself."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hearth_shared.protocol.principals import ALL_SCOPES, NEVER_THIRD_PARTY
from support.backend import Backend, running
from support.provider import tool_call, words
from support.scripted_server import Scripted

pytestmark = pytest.mark.security

GRANT = "/v1/clients/editors"
ACCEPT = {"decision": "accept"}


@dataclass
class Desk:
    """A backend whose agent asks to write a file, again and again."""

    backend: Backend
    model: Scripted
    folder: Path
    count: "itertools.count[int]"

    def asks(self) -> tuple[str, str, Path]:
        """A task that waits for a decision: it, what it waits for, and the file that would be there."""
        path = self.folder / f"{next(self.count)}.txt"
        call = tool_call("write_file", json.dumps({"path": path.name, "text": "Done\n"}))
        self.model.does(call, words("I am through."))
        tray = self.backend.door("tray")
        task_id = tray.post("/v1/agents/coder/tasks", json={"goal": "Write."}).json()["task_id"]
        self.wait(task_id, "approval.requested")
        pending = tray.get("/v1/approvals?status=pending").json()["approvals"]
        return task_id, next(one["id"] for one in pending if one["run_id"] == task_id), path

    def wait(self, task_id: str, kind: str) -> None:
        """Until such an event of a task has come."""
        with self.backend.door("tray").stream("GET", f"/v1/tasks/{task_id}/events") as events:
            assert any(line == f"event: {kind}" for line in events.iter_lines())

    def grant(self, days: float = 1) -> str:
        """The person lets editors decide; the grant's id."""
        made = self.backend.door("cli").post(GRANT, json={"days": days})
        assert made.status_code == 201, made.text
        return made.json()["id"]

    def status(self, approval_id: str) -> str:
        """How an approval stands."""
        return self.backend.door("tray").get(f"/v1/approvals/{approval_id}").json()["status"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for all tests; each ends the grants that it made."""
    folder = tmp_path_factory.mktemp("granted")
    with Scripted() as model:
        config = f'[tools]\nroots = "{folder}"\n{model.config}'
        with running(tmp_path_factory.mktemp("home") / "home", config) as backend:
            yield Desk(backend, model, folder, itertools.count())


def test_an_editor_without_the_grant_cannot_decide(desk: Desk) -> None:
    _, approval_id, path = desk.asks()
    editor = desk.backend.door("editor")
    edit: dict[str, Any] = {"decision": "edit", "args": {"path": "x"}}
    for decision in (ACCEPT, edit, {"decision": "respond", "text": "no"}):
        assert editor.post(f"/v1/approvals/{approval_id}", json=decision).status_code == 403
    listed = editor.get("/v1/approvals?status=pending").json()
    assert approval_id in [one["id"] for one in listed["approvals"]]
    assert listed["may_decide"] is False
    assert desk.backend.door("tray").get("/v1/approvals?status=pending").json()["may_decide"] is True
    assert desk.status(approval_id) == "pending"
    assert not path.exists()


def test_a_granted_editor_decides_once_and_the_second_hears_who_was_first(desk: Desk) -> None:
    task_id, approval_id, path = desk.asks()
    grant, editor = desk.grant(), desk.backend.door("editor")
    assert editor.get("/v1/approvals").json()["may_decide"] is True
    decided = editor.post(f"/v1/approvals/{approval_id}", json=ACCEPT)
    assert (decided.status_code, decided.json()["decided_by"]) == (200, "editor")
    second = desk.backend.door("tray").post(f"/v1/approvals/{approval_id}", json={"decision": "ignore"})
    assert (second.status_code, second.json()["winner"]) == (409, "editor")
    desk.wait(task_id, "task.finished")
    assert path.read_text() == "Done\n"
    desk.backend.door("tray").delete(f"/v1/clients/{grant}")


def test_what_an_editor_accepted_is_not_done_to_something_else(desk: Desk) -> None:
    task_id, approval_id, path = desk.asks()
    path.write_text("Meanwhile\n")
    grant = desk.grant()
    assert desk.backend.door("editor").post(f"/v1/approvals/{approval_id}", json=ACCEPT).status_code == 200
    desk.wait(task_id, "task.finished")
    assert path.read_text() == "Meanwhile\n"
    desk.backend.door("tray").delete(f"/v1/clients/{grant}")


def test_a_grant_that_is_taken_back_or_over_is_worth_nothing(desk: Desk) -> None:
    _, approval_id, _ = desk.asks()
    editor, tray = desk.backend.door("editor"), desk.backend.door("tray")
    first, second = desk.grant(), desk.grant()
    listed = {one["id"]: one for one in tray.get("/v1/clients").json()["clients"]}
    assert listed[first]["revoked_at"] is not None
    assert (listed[second]["kind"], listed[second]["scopes"]) == ("editors", ["approvals:decide"])
    assert tray.delete(f"/v1/clients/{second}").status_code == 200
    assert editor.post(f"/v1/approvals/{approval_id}", json=ACCEPT).status_code == 403
    desk.grant(days=1e-9)
    assert editor.post(f"/v1/approvals/{approval_id}", json=ACCEPT).status_code == 403
    assert desk.status(approval_id) == "pending"


def test_the_grant_is_given_by_the_person_alone(desk: Desk) -> None:
    backend = desk.backend
    program = backend.program(*sorted(ALL_SCOPES - NEVER_THIRD_PARTY))
    others = (backend.door("editor"), backend.browser(backend.pair()), program)
    assert [one.post(GRANT, json={}).status_code for one in others] == [403, 403, 403]
    grant = desk.grant()
    assert [one.post(GRANT, json={}).status_code for one in others] == [403, 403, 403]
    assert backend.door("editor").delete(f"/v1/clients/{grant}").status_code == 403
    assert backend.door("cli").delete(f"/v1/clients/{grant}").status_code == 200


def test_the_grant_opens_nothing_else(desk: Desk) -> None:
    """Not rules, not clients, not for a browser or a program, and it is no token."""
    backend, grant = desk.backend, desk.grant()
    _, approval_id, _ = desk.asks()
    editor = backend.door("editor")
    assert editor.get("/v1/approvals/rules").status_code == 403
    assert editor.post("/v1/approvals/rules/rule_x", json=ACCEPT).status_code == 403
    assert editor.delete("/v1/approvals/rules/rule_x").status_code == 403
    assert editor.get("/v1/clients").status_code == 403
    others = (backend.browser(backend.pair()), backend.program(*sorted(ALL_SCOPES - NEVER_THIRD_PARTY)))
    assert [one.post(f"/v1/approvals/{approval_id}", json=ACCEPT).status_code for one in others] == [403, 403]
    for secret in ("", "x", "A" * 43):
        assert backend.over_tcp(f"hth_{grant}_{secret}").get("/v1/approvals").status_code == 401
    backend.door("tray").delete(f"/v1/clients/{grant}")
