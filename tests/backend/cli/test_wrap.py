import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.cli.wrap import Wrap, columns

pytestmark = pytest.mark.unit

PROSE = "The lease ends in May and the deposit comes back in June."


def wrapped(text: str, width: int | None, *, by: int = 1) -> str:
    """The text, fed in pieces of `by` characters."""
    wrap = Wrap(width)
    return "".join(wrap.feed(text[at : at + by]) for at in range(0, len(text), by)) + wrap.finish()


@pytest.mark.parametrize("by", [1, 2, 7, 100])
def test_lines_break_between_words_however_the_text_comes(by: int) -> None:
    assert wrapped(PROSE, 20, by=by) == "The lease ends in\nMay and the deposit\ncomes back in June."


def test_a_word_that_just_fits_stays() -> None:
    assert wrapped("12345 1234", 10) == "12345 1234"
    assert wrapped("12345 12345", 10) == "12345\n12345"
    assert wrapped("12345 12345 1234", 10) == "12345\n12345 1234"


def test_only_the_last_word_waits() -> None:
    wrap = Wrap(20)
    assert wrap.feed("The lease en") == "The lease"
    assert wrap.feed("ds in") == " ends"
    assert wrap.feed("\n") == " in\n"
    assert wrap.at_line_start


def test_what_waits_comes_at_the_end() -> None:
    wrap = Wrap(20)
    assert (wrap.feed("May."), wrap.finish()) == ("", "May.")
    assert (wrap.feed("Accept? "), wrap.finish()) == ("Accept?", " ")


def test_a_line_that_goes_on_keeps_its_indentation() -> None:
    assert wrapped("    the lease ends in May", 16) == "    the lease\n    ends in May"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("- the lease ends", "- the lease\n  ends"),
        ("  1. the lease ends", "  1. the\n     lease\n     ends"),
        ("[2] the lease ends", "[2] the\n    lease\n    ends"),
        ("-- the lease ends", "-- the lease\nends"),
    ],
)
def test_a_line_that_goes_on_stands_clear_of_its_list_sign(text: str, shown: str) -> None:
    assert wrapped(text, 12) == shown


def test_a_line_that_goes_on_may_hang_deeper() -> None:
    wrap = Wrap(16, hanging=3)
    assert wrap.feed(" ok the lease ends in May") + wrap.finish() == " ok the lease\n    ends in May"


def test_an_indentation_that_would_leave_no_room_is_not_kept() -> None:
    assert wrapped("        the lease ends", 12) == "        the\nlease ends"


@pytest.mark.parametrize("fence", ["```", "~~~~"])
def test_code_passes_as_it_is_and_prose_after_it_breaks_again(fence: str) -> None:
    code = f"{fence}python\nprint('a long line of code, longer than this')\n\n  x = 1  \n{fence}\n"
    assert wrapped(code + PROSE, 20) == code + wrapped(PROSE, 20)


def test_code_that_is_indented_passes_too() -> None:
    code = "    ```\n    url = 'http://192.168.1.20:8000/v1'  # here\n    ```\n"
    assert wrapped(code, 20) == code


def test_code_in_a_line_of_prose_is_a_word() -> None:
    assert wrapped("```x``` and `y` or\nthe lease ends in May", 16) == "```x``` and `y`\nor\nthe lease ends\nin May"


def test_code_is_shown_as_it_comes() -> None:
    wrap = Wrap(20)
    assert wrap.feed("```\nx = pri") == "```\nx = pri"


def test_a_table_passes_as_it_is() -> None:
    table = "| option | what it means to a person |\n| --- | --- |\n"
    assert wrapped(table, 20) == table


def test_a_word_that_fits_no_line_begins_one_and_passes_as_it_comes() -> None:
    url = "http://127.0.0.1:4747/v1/threads"
    assert wrapped(f"see {url} for more", 20) == f"see\n{url} for\nmore"
    wrap = Wrap(20)
    assert wrap.feed(f"see {url}") == f"see\n{url}"
    assert wrap.feed("/x") == "/x"


def test_wide_characters_take_two_columns_and_part_anywhere_but_before_a_full_stop() -> None:
    assert columns("日本語 ok") == 9
    assert wrapped("日本語日本語", 8) == "日本語日\n本語"
    assert wrapped("日本語日。本", 8) == "日本語\n日。本"


def test_what_has_no_width_stays_with_its_letter() -> None:
    family, accents = "👩\u200d💻👍\U0001f3fd", "e\u0301" * 4
    assert columns(accents) == 4
    assert wrapped(f"{accents} {accents}", 9) == f"{accents} {accents}"
    assert wrapped(family, 4) == "👩\u200d💻\n👍\U0001f3fd"


def test_colours_take_no_columns() -> None:
    assert wrapped("\x1b[2mthe lease\x1b[0m ends", 14, by=100) == "\x1b[2mthe lease\x1b[0m ends"
    assert wrapped("\x1b[2m[1] \x1b[0mthe lease ends", 14, by=100) == "\x1b[2m[1] \x1b[0mthe lease\n    ends"


def test_the_window_may_change() -> None:
    wrap = Wrap(12)
    first = wrap.feed("the lease ends in ")
    wrap.width = 30
    assert first + wrap.feed("May and the deposit ") + wrap.finish() == "the lease\nends in May and the deposit "


@given(st.lists(st.text("ab \t\n`~|-1.日é\u0301👍\x1b[2m"), max_size=8), st.sampled_from([None, 1, 5, 12]))
def test_nothing_is_lost_or_added_but_blanks_and_line_ends(pieces: list[str], width: int | None) -> None:
    wrap, text = Wrap(width), "".join(pieces)
    shown = "".join([wrap.feed(piece) for piece in pieces]) + wrap.finish()
    assert "".join(shown.split()) == "".join(text.split())
    if width is None:
        assert shown == text


@given(st.text("ab \n日", max_size=60), st.integers(2, 12))
def test_no_line_of_words_that_fit_is_wider_than_the_window(text: str, width: int) -> None:
    text = re.sub(r"[ab]{3,}", "a", re.sub("^ +", "", text, flags=re.MULTILINE))
    assert all(columns(line.rstrip(" ")) <= width for line in wrapped(text, width).split("\n"))
