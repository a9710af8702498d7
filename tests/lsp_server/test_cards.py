import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.tools.patch import difference
from hearth_lsp.cards import CHOICES, lenses, page, question, status
from hearth_shared.display import display
from support.approvals import approval

pytestmark = pytest.mark.unit

BEFORE = "".join(f"line {number}\n" for number in range(1, 31))
AFTER = BEFORE.replace("line 5\n", "line five\nline and more\n").replace("line 20\n", "")
DIFF = difference("a.txt", BEFORE, AFTER)


def test_each_place_of_a_change_is_shown_where_it_would_be_made() -> None:
    head, first, second = lenses(approval(preview=DIFF), may_decide=False)
    assert (head.line, head.decision) == (4, "")
    assert head.title.startswith("Hearth: assistant asks for write_file: +2 −2")
    assert "decide in the tray" in head.title
    assert (first.line, first.title) == (4, "Hearth: −1 +2  + line five")
    assert (second.line, second.title) == (19, "Hearth: −1 +0  − line 20")


def test_only_who_may_decide_is_offered_answers() -> None:
    offered = [lens.decision for lens in lenses(approval(preview=DIFF), may_decide=True)]
    assert offered == ["", *CHOICES, "", ""]
    assert not any(lens.decision for lens in lenses(approval(preview=DIFF), may_decide=False))


def test_what_has_no_lines_to_show_stands_above_the_first() -> None:
    (only,) = lenses(approval(preview="(no line changes)"), may_decide=False)
    assert only.line == 0
    (new,) = lenses(approval(preview=difference("a", "", "one\n"), kind="unknown"), may_decide=False)[1:]
    assert (new.line, new.title) == (0, "Hearth: −0 +1  + one")
    assert "was begun before Hearth stopped" in lenses(approval(kind="unknown"), may_decide=False)[0].title


def test_lines_that_look_like_a_diffs_head_are_lines() -> None:
    found = lenses(approval(preview=difference("a", "-- x\n++ y\n", "")), may_decide=False)
    assert [lens.title for lens in found[1:]] == ["Hearth: −2 +0  − -- x"]


TEXT = st.text(max_size=40)
LINES = st.lists(st.text(st.characters(exclude_characters="\n\r"), max_size=8), max_size=12)


@given(before=LINES, after=LINES)
def test_every_change_of_a_file_is_shown_at_a_line_of_it_or_right_behind(before: list[str], after: list[str]) -> None:
    old, new = "\n".join(before), "\n".join(after)
    found = lenses(approval(preview=difference("a", old, new)), may_decide=True)
    assert all(0 <= lens.line <= old.count("\n") + 1 for lens in found)
    assert (len(found) > 1 + len(CHOICES)) == (old != new)


@given(TEXT, TEXT)
def test_nothing_on_a_card_hides_or_leaves_its_place(text: str, other: str) -> None:
    fence = "```\n"
    one = approval(
        agent_id=text or "x",
        args={"text": fence + text, "more": [other]},
        preview=fence + other,
        why=text,
        quotes=[{"text": text, "source": other, "trusted": False}],
        paths=[text],
    )
    for shown in (page(one), question(one, "accept"), *(lens.title for lens in lenses(one, may_decide=True))):
        assert display(shown.replace("\u27e6", "").replace("\u27e7", "")) == shown.replace("\u27e6", "").replace(
            "\u27e7", ""
        )
    assert page(one).count("\n````") >= 4  # the fences are longer than what stands in them


def test_how_it_stands_is_said() -> None:
    assert "hearth pair editor --decide" in page(approval())
    assert status(approval(status="decided", decision="ignore", decided_by="tray")) == "ignore, by tray"
    assert "denied" in status(approval(status="expired"))
