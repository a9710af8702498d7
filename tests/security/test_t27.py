"""T27: nobody decides who was not given it. Editors decide while the person's grant holds, one card at a time; and
nothing that asks for leave, nor any program, browser or editor, can give or keep that grant by itself."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hearth_shared.protocol.principals import ALL_SCOPES, NEVER_THIRD_PARTY
from support.deciding import GRANT, Deciding, deciding

pytestmark = pytest.mark.security

ACCEPT = {"decision": "accept"}


_count = itertools.count()


def asks(desk: Deciding) -> tuple[str, str, Path]:
    """A task that waits, what it waits for, and the new file that it wants to write."""
    path = desk.folder / f"{next(_count)}.txt"
    return *desk.asks("write_file", path=path.name, text="Done\n"), path


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deciding]:
    """One for all tests; each ends the grants that it made."""
    with deciding(tmp_path_factory.mktemp("deciding")) as desk:
        yield desk


def test_an_editor_without_the_grant_cannot_decide(desk: Deciding) -> None:
    _, approval_id, path = asks(desk)
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


def test_a_granted_editor_decides_once_and_the_second_hears_who_was_first(desk: Deciding) -> None:
    task_id, approval_id, path = asks(desk)
    grant, editor = desk.grant(), desk.backend.door("editor")
    assert editor.get("/v1/approvals").json()["may_decide"] is True
    decided = editor.post(f"/v1/approvals/{approval_id}", json=ACCEPT)
    assert (decided.status_code, decided.json()["decided_by"]) == (200, "editor")
    second = desk.backend.door("tray").post(f"/v1/approvals/{approval_id}", json={"decision": "ignore"})
    assert (second.status_code, second.json()["winner"]) == (409, "editor")
    desk.wait(task_id, "task.finished")
    assert path.read_text() == "Done\n"
    desk.revoke(grant)


def test_what_an_editor_accepted_is_not_done_to_something_else(desk: Deciding) -> None:
    task_id, approval_id, path = asks(desk)
    path.write_text("Meanwhile\n")
    grant = desk.grant()
    assert desk.backend.door("editor").post(f"/v1/approvals/{approval_id}", json=ACCEPT).status_code == 200
    desk.wait(task_id, "task.finished")
    assert path.read_text() == "Meanwhile\n"
    desk.revoke(grant)


def test_a_grant_that_is_taken_back_or_over_is_worth_nothing(desk: Deciding) -> None:
    _, approval_id, _ = asks(desk)
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


def test_the_grant_is_given_by_the_person_alone(desk: Deciding) -> None:
    backend = desk.backend
    program = backend.program(*sorted(ALL_SCOPES - NEVER_THIRD_PARTY))
    others = (backend.door("editor"), backend.browser(backend.pair()), program)
    assert [one.post(GRANT, json={}).status_code for one in others] == [403, 403, 403]
    grant = desk.grant()
    assert [one.post(GRANT, json={}).status_code for one in others] == [403, 403, 403]
    assert backend.door("editor").delete(f"/v1/clients/{grant}").status_code == 403
    assert backend.door("cli").delete(f"/v1/clients/{grant}").status_code == 200


def test_the_grant_opens_nothing_else(desk: Deciding) -> None:
    """Not rules, not clients, not for a browser or a program, and it is no token."""
    backend, grant = desk.backend, desk.grant()
    _, approval_id, _ = asks(desk)
    editor = backend.door("editor")
    assert editor.get("/v1/approvals/rules").status_code == 403
    assert editor.post("/v1/approvals/rules/rule_x", json=ACCEPT).status_code == 403
    assert editor.delete("/v1/approvals/rules/rule_x").status_code == 403
    assert editor.get("/v1/clients").status_code == 403
    others = (backend.browser(backend.pair()), backend.program(*sorted(ALL_SCOPES - NEVER_THIRD_PARTY)))
    assert [one.post(f"/v1/approvals/{approval_id}", json=ACCEPT).status_code for one in others] == [403, 403]
    for secret in ("", "x", "A" * 43):
        assert backend.over_tcp(f"hth_{grant}_{secret}").get("/v1/approvals").status_code == 401
    desk.revoke(grant)


def test_of_doors_that_decide_at_once_one_wins_and_the_others_hear_who(desk: Deciding) -> None:
    task_id, approval_id, path = asks(desk)
    grant = desk.grant()
    doors = [desk.backend.door(name) for name in ("tray", "cli", "editor")]

    def accept(door: httpx2.Client) -> httpx2.Response:
        return door.post(f"/v1/approvals/{approval_id}", json=ACCEPT)

    with ThreadPoolExecutor(len(doors)) as pool:
        answers = list(pool.map(accept, doors))
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer.status_code != 200]
    assert [(answer.status_code, answer.json()["winner"]) for answer in lost] == [(409, won["decided_by"])] * 2
    desk.wait(task_id, "task.finished")
    assert path.read_text() == "Done\n"
    desk.revoke(grant)


def test_an_edit_that_does_not_hold_is_refused_and_the_card_waits_on(desk: Deciding) -> None:
    task_id, approval_id, path = asks(desk)
    tray = desk.backend.door("tray")
    for args in ({"path": 7, "text": "x"}, {"path": path.name}, {"path": "../outside.txt", "text": "x"}):
        refused = tray.post(f"/v1/approvals/{approval_id}", json={"decision": "edit", "args": args})
        assert 400 <= refused.status_code < 500, refused.text
        assert refused.json()["detail"]
        assert desk.status(approval_id) == "pending"
    held = {"path": path.name, "text": "Something else\n"}
    assert tray.post(f"/v1/approvals/{approval_id}", json={"decision": "edit", "args": held}).status_code == 200
    desk.wait(task_id, "task.finished")
    assert path.read_text() == "Something else\n"


def test_a_policy_with_an_error_allows_nothing_and_the_card_names_its_line(desk: Deciding) -> None:
    policy = desk.backend.home.policy
    policy.write_text('[[rule]]\ntool = "*"\ndecision = "allow"\norigin = "trey"\n')
    try:
        _, approval_id, path = asks(desk)
        why = desk.backend.door("tray").get(f"/v1/approvals/{approval_id}").json()["why"]
        assert "policy.toml cannot be read (line 1: there is no door 'trey'" in why
        assert not path.exists()
    finally:
        policy.unlink()
