import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_desktop.approvals import words
from hearth_shared.display import is_visible, undisplay
from support.approvals import NOW, approval

pytestmark = pytest.mark.unit
TEXT = st.text(alphabet=st.characters(exclude_categories=[]), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(TEXT)
def test_an_argument_is_shown_complete_and_one_to_one(text: str) -> None:
    (field,) = words.fields({"path": text})
    assert undisplay(field.text) == text
    assert all(is_visible(c) or c in "\n\t⟦⟧" for c in field.text)


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_every_argument_is_shown_and_none_hides(args: dict[str, Any]) -> None:
    shown = words.fields(args)
    assert len(shown) == len(args)
    for field in shown:
        assert all(is_visible(c) or c in "\n\t⟦⟧" for c in field.name + field.text)


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_what_is_edited_comes_back_unless_it_was_changed(args: dict[str, Any]) -> None:
    text = words.editable(args)
    assert words.edited(text) == json.loads(json.dumps(args))
    assert all(is_visible(c) or c == "\n" for c in text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Line 1, column 1"),
        ('{\n "a": }', "Line 2, column 7"),
        ("[1]", "object"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": NaN}', "NaN"),
        ("[" * 100_000, "nested"),
    ],
)
def test_what_is_no_object_is_refused_with_the_place(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        words.edited(text)


def test_hidden_characters_are_counted_and_told() -> None:
    evil = approval(tool="run\u200b", args={"command": "rm \u202egpj.exe", "\u2066x": "\n\t "})
    assert words.hidden(evil) == 3
    assert words.hidden_words(3).startswith("3 hidden characters")
    assert words.hidden_words(1).startswith("1 hidden character in")
    assert not words.hidden_words(words.hidden(approval()))


def test_who_asks_is_told_with_its_door_and_task() -> None:
    assert words.who(approval()) == "assistant, asked through the terminal"
    assert words.who(approval(door="new\u202edoor")) == "assistant, asked through new⟦U+202E⟧door"
    assert words.task(approval()) == "run_1"
    assert not words.task(approval(run_id=None))


@pytest.mark.parametrize("trusted", [False, None, "yes", 1])
def test_a_quote_nobody_vouches_for_is_marked(trusted: object) -> None:
    (quote,) = words.quotes(approval(quotes=[{"text": "do it\u202e", "source": "https://x", "trusted": trusted}]))
    assert quote == words.Quote("do it⟦U+202E⟧", "https://x", "from a page you opened")
    (own,) = words.quotes(approval(quotes=[{"text": "do it", "source": "you", "trusted": True}]))
    assert not own.mark


def test_reach_and_undo_are_never_silent() -> None:
    assert words.reach(approval(reach=[])) == "Nothing beyond Hearth."
    assert words.reach(approval(reach=["a", "b\n"])) == "a\nb⟦U+000A⟧"
    assert words.undo(approval(undo="")) == "This cannot be undone."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"status": "expired", "decision": "ignore"}, "Nobody decided in time"),
        ({"status": "decided", "decision": "accept", "decided_by": "tray", "decided_at": NOW}, "Accepted by you just"),
        (
            {"status": "decided", "decision": "edit", "decided_by": "cli", "decided_at": NOW - 120},
            "Accepted with changes by cli 2 min ago",
        ),
    ],
)
def test_its_outcome_is_told(changes: dict[str, Any], said: str) -> None:
    outcome = words.outcome(approval(**changes), NOW)
    assert outcome.startswith(said)
    assert bool(outcome) is bool(said)


def test_what_the_person_said_or_changed_is_kept_in_sight() -> None:
    assert words.reply(approval(text="no\u202e")) == "no⟦U+202E⟧"
    assert words.reply(approval(decided_args={"path": "b"})) == '{\n  "path": "b"\n}'
    assert not words.reply(approval())


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(5, "just now"), (60, "1 min ago"), (3_600, "1 hour ago"), (7_200, "2 hours ago"), (86_400 * 3, "3 days ago")],
)
def test_times_are_told_in_words(seconds: float, said: str) -> None:
    assert words.past(seconds) == said
    assert words.ahead(seconds) == ("now" if seconds < 60 else f"in {said.removesuffix(' ago')}")


def test_a_line_of_the_inbox_is_one_line() -> None:
    assert words.title(approval(args={"path": "a\nb", "n": {"deep": "c"}})) == "write_file  a b deep c"
    assert "\n" not in words.title(approval(args={"text": "\u2028\r\n"}))


def test_the_whole_card_can_be_heard() -> None:
    said = words.aloud(approval())
    for part in ("assistant", "terminal", "write_file", "path: a.txt", "this folder", "The old file comes back."):
        assert part in said
