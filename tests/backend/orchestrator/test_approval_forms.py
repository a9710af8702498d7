from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.orchestrator.approval_forms import from_inbox, from_permission, to_inbox, to_permission
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.approvals import Approval, DecisionRequest

pytestmark = pytest.mark.unit

APPROVAL = Approval(
    id="apr_1",
    agent_id="coder",
    door="tray",
    tool="write_file",
    args={"path": "a\u202e.txt", "text": "x"},
    sha256="ab",
    why="no rule allows it",
    reach=["/home/me/a"],
    paths=["/home/me/a\u202e.txt"],
    preview="+x",
    undo="Deletes it.",
    quotes=[{"text": "do it", "source": "example.org", "trusted": False}],
    status="pending",
    created_at=1,
    expires_at=2,
)


def test_an_inbox_gets_the_whole_card() -> None:
    made = to_inbox(APPROVAL)
    assert made["action_request"] == {"action": "write_file", "args": APPROVAL.args}
    assert all(made["config"].values())
    for part in (
        "coder through tray",
        "no rule allows it",
        "+x",
        "nobody vouches",
        "example.org: do it",
        "Deletes it.",
    ):
        assert part in made["description"]


@pytest.mark.parametrize(
    ("response", "decision"),
    [
        ({"type": "accept", "args": None}, DecisionRequest(decision="accept")),
        ({"type": "ignore"}, DecisionRequest(decision="ignore")),
        ({"type": "response", "args": "no"}, DecisionRequest(decision="respond", text="no")),
        (
            {"type": "edit", "args": {"action": "write_file", "args": {"path": "b"}}},
            DecisionRequest(decision="edit", args={"path": "b"}),
        ),
    ],
)
def test_its_answers_are_decisions(response: dict[str, Any], decision: DecisionRequest) -> None:
    assert from_inbox(response) == decision


def test_an_editor_gets_the_four_kinds_of_permission_and_nothing_hidden() -> None:
    made = to_permission(APPROVAL, "s1")
    kinds = [option["kind"] for option in made["options"]]
    assert kinds == ["allow_once", "allow_always", "reject_once", "reject_always"]
    assert made["toolCall"]["kind"] == "edit"
    assert "⟦U+202E⟧" in made["toolCall"]["title"]
    decisions = [from_permission({"outcome": "selected", "optionId": option["optionId"]}) for option in made["options"]]
    assert [(one.decision, one.remember) for one in decisions if one] == [
        ("accept", "once"),
        ("accept", "run"),
        ("ignore", "once"),
        ("ignore", "run"),
    ]
    assert from_permission({"outcome": "cancelled"}) is None


@given(st.dictionaries(st.text(max_size=8), st.none() | st.text() | st.dictionaries(st.text(), st.text())))
def test_whatever_else_comes_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        from_inbox({"type": "nothing", **{name: held for name, held in value.items() if name != "type"}})
    with pytest.raises(BadRequest):
        from_permission({"outcome": "selected", **{n: held for n, held in value.items() if n not in ("outcome",)}})
