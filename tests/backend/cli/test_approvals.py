import json
import time
from typing import Any

import pytest

from hearth_backend.cli.approvals import card
from hearth_shared.errors import Conflict
from support.shell import Typist, hearth
from support.small_backend import Asked, Reply, SmallBackend

pytestmark = pytest.mark.integration

APPROVAL: dict[str, Any] = {
    "id": "apr_1",
    "run_id": "run_1",
    "thread_id": None,
    "agent_id": "assistant",
    "door": "tray",
    "tool": "shell",
    "args": {"command": "rm -r build\u202e\necho done\x1b[8m", "deep": {"n": 1}, "long": "x" * 5000},
    "sha256": "ab12",
    "kind": "act",
    "why": "no rule allows it",
    "preview": "-old\n+new",
    "paths": [],
    "reach": ["the folder build"],
    "undo": "",
    "quotes": [{"text": "please run it", "source": "example.org", "trusted": False}],
    "status": "pending",
    "created_at": 0.0,
    "expires_at": time.time() + 8.2 * 86400,
    "decision": None,
    "decided_by": None,
    "decided_at": None,
}
ONE = ("GET", "/v1/approvals/apr_1")
DECIDE = ("POST", "/v1/approvals/apr_1")


@pytest.fixture
def waiting(backend: SmallBackend) -> SmallBackend:
    """A backend with one approval that waits."""
    backend.routes[ONE] = lambda asked: APPROVAL
    backend.routes[DECIDE] = lambda asked: {**APPROVAL, "status": "decided"}
    return backend


def decisions(backend: SmallBackend) -> list[Any]:
    return [asked.body for asked in backend.asked if asked.method == "POST"]


def test_the_card_is_complete_and_nothing_in_it_hides(waiting: SmallBackend) -> None:
    out = hearth("approvals", "show", "apr_1").out
    for part in ("assistant through tray, task run_1", "rm -r build⟦U+202E⟧", "echo done⟦U+001B⟧[8m", "x" * 5000):
        assert part in out
    for part in ("(from a page you opened): please run it", "the folder build", "cannot be undone", "ab12", "in 8 d"):
        assert part in out
    assert "\x1b" not in out


def test_what_is_not_there_is_said_too() -> None:
    bare: Any = {**APPROVAL, "run_id": None, "args": {}, "reach": [], "quotes": [], "undo": "Restores the folder."}
    said = dict(card(bare))
    assert said["what exactly"] == "shell\n(no arguments)"
    assert (said["can reach"], said["undo"]) == ("nothing beyond Hearth", "Restores the folder.")


@pytest.mark.parametrize("verb", [("approve", "apr_1"), ("deny", "apr_1"), ("deny", "apr_1", "-m", "no")])
def test_no_decision_without_a_person_at_a_terminal(waiting: SmallBackend, verb: tuple[str, ...]) -> None:
    outcome = hearth("approvals", *verb, stdin="accept\n")
    assert outcome.status == 1
    assert "only by a person at a terminal" in outcome.err
    assert not waiting.asked


def test_a_person_who_has_seen_the_card_accepts_it(waiting: SmallBackend) -> None:
    with Typist(["approvals", "approve", "apr_1"]) as typist:
        typist.read_until("Type accept: ")
        assert "rm -r build" in typist.seen
        typist.type("accept\n")
        assert typist.leave() == 0
    assert decisions(waiting) == [{"decision": "accept"}]


def test_what_was_typed_before_the_card_could_be_read_does_not_count(waiting: SmallBackend) -> None:
    with Typist(["approvals", "approve", "apr_1"]) as typist:
        typist.type("accept\n")
        typist.read_until("Type accept: ")
        typist.type("\n")
        assert typist.leave() == 1
    assert decisions(waiting) == []


@pytest.mark.parametrize("typed", ["\n", "y\n", "yes\n", "\x04"])
def test_nothing_but_the_word_accepts(waiting: SmallBackend, typed: str) -> None:
    with Typist(["approvals", "approve", "apr_1"]) as typist:
        typist.read_until("Type accept: ")
        typist.type(typed)
        assert typist.leave() == 1
    assert decisions(waiting) == []


@pytest.mark.parametrize(
    ("message", "body"),
    [([], {"decision": "ignore"}), (["-m", "not now"], {"decision": "respond", "text": "not now"})],
)
def test_a_person_denies_with_or_without_a_reason(
    waiting: SmallBackend, message: list[str], body: dict[str, str]
) -> None:
    with Typist(["approvals", "deny", "apr_1", *message]) as typist:
        assert typist.leave() == 0
    assert decisions(waiting) == [body]


def test_somebody_who_was_faster_is_named(waiting: SmallBackend) -> None:
    def taken(asked: Asked) -> Reply:
        raise Conflict("The tray has accepted it.", winner="tray")

    waiting.routes[DECIDE] = taken
    with Typist(["approvals", "deny", "apr_1"]) as typist:
        assert typist.leave() == 1
        assert "The tray has accepted it." in typist.seen


def test_what_is_decided_already_is_only_shown(waiting: SmallBackend) -> None:
    decided = {**APPROVAL, "status": "decided", "decision": "ignore", "decided_by": "tray", "decided_at": 0.0}
    waiting.routes[ONE] = lambda asked: decided
    with Typist(["approvals", "approve", "apr_1"]) as typist:
        assert typist.leave() == 1
        assert "ignore, by tray" in typist.seen


def test_the_list_says_what_waits(waiting: SmallBackend) -> None:
    waiting.routes["GET", "/v1/approvals"] = lambda asked: {"approvals": [APPROVAL]}
    out = hearth("approvals", "list", "--status", "pending").out
    assert "waits for you" in out
    assert len(out.splitlines()) == 1
    assert waiting.asked[0].query == {"status": ["pending"]}
    assert json.loads(hearth("approvals", "list", "--json").out)["approvals"][0]["id"] == "apr_1"


def test_nothing_waits(waiting: SmallBackend) -> None:
    waiting.routes["GET", "/v1/approvals"] = lambda asked: {"approvals": []}
    assert hearth("approvals", "list").out == "Nothing waits for your decision.\n"


RULE: dict[str, Any] = {
    "id": "rule_1",
    "tool": "write_file",
    "match": {"path": "/home/me/notes/*"},
    "agent": "coder",
    "origins": ["tray"],
    "decision": "allow",
    "state": "proposed",
    "source": "your answers",
    "because": ["apr_1"],
    "would": [{"approval_id": "apr_1", "subject": "/home/me/notes/a\u202e", "decision": "accept", "decided_at": 1.0}],
    "created_at": 1.0,
}
RULES = ("GET", "/v1/approvals/rules")


def test_rules_show_what_they_would_have_decided(backend: SmallBackend) -> None:
    backend.routes[RULES] = lambda asked: {"rules": [RULE], "problem": "policy.toml cannot be read (line 3)"}
    out = hearth("approvals", "rules").out
    for part in ("proposed", "rule_1", "allow write_file", "path = /home/me/notes/*", "for coder, through tray"):
        assert part in out
    assert "would have: /home/me/notes/a⟦U+202E⟧; you said accept" in out
    assert "line 3): until it is mended, everything asks" in " ".join(out.split())
    assert json.loads(hearth("approvals", "rules", "--json").out)["rules"] == [RULE]


def test_a_rule_is_decided_only_by_a_person_at_a_terminal(backend: SmallBackend) -> None:
    backend.routes[RULES] = lambda asked: {"rules": [RULE], "problem": ""}
    backend.routes["POST", "/v1/approvals/rules/rule_1"] = lambda asked: {"rules": [], "problem": ""}
    assert "by a person at a terminal" in hearth("approvals", "rules", "--accept", "rule_1").err
    assert hearth("approvals", "rules", "--accept", "a", "--forget", "b").status == 1
    assert decisions(backend) == []
    with Typist(["approvals", "rules", "--accept", "rule_1"]) as person:
        person.read_until("Accept this rule? Type accept: ")
        person.type("accept\n")
        assert person.leave() == 0
    assert decisions(backend) == [{"decision": "accept"}]
