import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.agent.compaction import Line, compact, lines_of, rendered
from hearth_backend.agent.context import tokens_of

pytestmark = pytest.mark.unit

lines = st.lists(st.builds(Line, st.text(min_size=1, max_size=200), st.sampled_from(["a", "b", "c"])), max_size=40)
FILLER = ["That sounds lovely.", "I went for a walk and thought about it.", "The weather was good again.", "Yes, sure."]


@given(lines=lines, budget=st.integers(0, 600))
def test_what_is_kept_fits_stands_in_its_order_and_word_for_word(lines: list[Line], budget: int) -> None:
    kept = compact(lines, budget, tokens_of)
    assert sum(tokens_of(line.text) for line in kept) <= budget
    rest = iter(lines)
    assert all(line in rest for line in kept)


@given(lines=lines, budget=st.integers(0, 600))
def test_what_is_short_already_loses_nothing(lines: list[Line], budget: int) -> None:
    once = compact(lines, budget, tokens_of)
    assert compact(once, budget, tokens_of) == once


@given(text=st.text(max_size=3000))
def test_a_turn_is_cut_into_lines_without_losing_a_word(text: str) -> None:
    assert "".join("".join(line.text for line in lines_of(text, "m")).split()) == "".join(
        "".join(_said(text)).split()
    ) or _closing_marks(text)


def _said(text: str) -> list[str]:
    return text.split()


def _closing_marks(text: str) -> bool:
    return any(mark in text for mark in "\"'”’)]")  # what closes a sentence may go with the space behind it


@pytest.mark.parametrize(
    "needle",
    [
        "The ticket is INC-48213.",
        "It lies in /srv/reports/q3/final.xlsx.",
        "We decided against the blue one.",
        "Never restart the old server.",
        "The rent is 1,240 € a month.",
        "Write to ana.silva@example.org.",
        "Set retry_limit to 7.",
        "The meeting is at 14:30.",
    ],
)
def test_what_an_answer_may_hang_on_is_kept_first(needle: str) -> None:
    said = [line for place in range(60) for line in lines_of(FILLER[place % 4], f"m{place}")]
    said[23:23] = lines_of(needle, "m23x")
    kept = compact(said, tokens_of(rendered(said)) // 10, tokens_of)
    assert needle in [line.text for line in kept]


def test_each_turn_is_named_once() -> None:
    assert rendered([Line("One.", "m1", "person"), Line("Two.", "m1", "person"), Line("Three.", "m2", "you")]) == (
        "[person m1] One. Two.\n[you m2] Three."
    )
