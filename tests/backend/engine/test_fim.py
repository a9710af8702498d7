"""Prompts for filling in the middle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.fim import FimTokens, fim_prompt, shortened
from hearth_shared.errors import BadRequest

pytestmark = pytest.mark.unit
PRE, SUF, MID, REP, SEP = 901, 902, 903, 904, 905
FULL = FimTokens(PRE, SUF, MID, REP, SEP)


def letters(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def test_prefix_and_suffix_stand_before_the_middle() -> None:
    assert fim_prompt(FULL, letters, "ab", "c", [], 100) == [PRE, 97, 98, SUF, 99, MID]


def test_other_files_come_first_with_their_names() -> None:
    prompt = fim_prompt(FULL, letters, "a", "b", [("x", "y")], 100)
    assert prompt == [REP, SEP, *letters("x\ny"), PRE, 97, SUF, 98, MID]


def test_a_model_that_knows_no_other_files_gets_none() -> None:
    assert fim_prompt(FimTokens(PRE, SUF, MID), letters, "a", "b", [("x", "y")], 100) == [PRE, 97, SUF, 98, MID]


@pytest.mark.parametrize("special", [FimTokens(None, SUF, MID), FimTokens(PRE, None, MID), FimTokens(PRE, SUF, None)])
def test_a_model_without_the_tokens_is_refused(special: FimTokens) -> None:
    assert not special.usable
    with pytest.raises(BadRequest, match="no fill-in-the-middle tokens"):
        fim_prompt(special, letters, "a", "b", [], 100)


@given(st.text("ab", max_size=900), st.text("cd", max_size=900), st.text("ef", max_size=300), st.integers(8, 600))
def test_the_prompt_fits_and_keeps_what_is_near_the_cursor(prefix: str, suffix: str, file: str, room: int) -> None:
    prompt = fim_prompt(FULL, letters, prefix, suffix, [("f", file)], room)
    assert len(prompt) <= room
    before = prompt[prompt.index(PRE) + 1 : prompt.index(SUF)]
    after = prompt[prompt.index(SUF) + 1 : -1]
    assert letters(prefix)[len(prefix) - len(before) :] == before
    assert letters(suffix)[: len(after)] == after


def test_a_prefix_that_grows_keeps_its_beginning_for_a_while() -> None:
    cut = [shortened(list(range(length)), 1000)[0] for length in range(1001, 1250)]
    assert set(cut) == {256}
