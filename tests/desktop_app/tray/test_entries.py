import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_desktop.tray import entries
from hearth_desktop.tray.situation import Link, Situation
from hearth_shared.display import is_visible
from hearth_shared.wire import Thread

pytestmark = pytest.mark.unit


def thread(title: str) -> Thread:
    return {
        "id": "thr_1",
        "title": title,
        "agent_id": "assistant",
        "door": "cli",
        "local_only": False,
        "version": 1,
        "created_at": 1.0,
        "updated_at": 1.0,
    }


@given(st.text(max_size=200))
def test_a_title_is_one_line_that_hides_nothing_and_makes_no_key(title: str) -> None:
    shown = entries.title_of(thread(title))
    assert shown
    assert all(is_visible(c) or c in "⟦⟧" for c in shown)
    assert "&" not in shown.replace("&&", "")
    assert len(shown.replace("&&", "&")) <= 44


def test_a_long_title_ends_at_a_word() -> None:
    assert entries.cut("one two three", 10) == "one two…"
    assert entries.cut("x" * 50, 10) == "x" * 9 + "…"
    assert entries.cut("short", 10) == "short"


def test_a_thread_without_a_title_can_be_chosen_too() -> None:
    assert entries.titles([thread("  ")]) == [("thr_1", "Untitled")]


def test_the_inbox_counts_what_waits() -> None:
    assert entries.inbox(Situation()) == "&Inbox"
    assert entries.inbox(Situation(pending=frozenset({"a", "b"}))) == "&Inbox (2)"


def test_the_tooltip_says_what_to_do_only_when_there_is_something() -> None:
    assert entries.tooltip(Situation(link=Link.CONNECTED, model="m", trouble="x")) == "Hearth is idle"
    assert entries.tooltip(Situation(link=Link.FAILED, trouble="See why.")) == "Hearth cannot start\nSee why."


def test_who_answers_is_told_while_hearth_is_there() -> None:
    assert entries.answers(Situation(link=Link.CONNECTED, model="a&b · cloud")) == "Answers: a&&b · cloud"
    assert not entries.answers(Situation(link=Link.STOPPED, model="a"))
    assert not entries.answers(Situation(link=Link.CONNECTED))
