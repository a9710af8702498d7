import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.tools.output import cleaned

pytestmark = pytest.mark.unit


def test_what_commands_a_terminal_or_hides_is_shown() -> None:
    assert cleaned("a\x1b[2Jb\u202ec\U000e0041", 100) == "a⟦U+001B⟧[2Jb⟦U+202E⟧c⟦U+E0041⟧"
    assert cleaned("a\r\nb\tc\n👩‍👧 ❤️", 100) == "a\nb\tc\n👩‍👧 ❤️"


def test_the_middle_of_a_flood_is_left_out() -> None:
    assert cleaned("a" * 100 + "b" * 100, 30) == "a" * 20 + "\n[170 characters left out]\n" + "b" * 10


@given(st.text(max_size=200), st.integers(3, 50))
def test_it_is_never_much_longer_than_the_limit(text: str, longest: int) -> None:
    out = cleaned(text, longest)
    assert len(out) <= 9 * (longest + 40)
    assert "\x1b" not in out
