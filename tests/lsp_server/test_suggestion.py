import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_lsp.cutting import Cut
from hearth_lsp.suggestion import Suggestion, worth_showing

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "cut", "whole", "shown"),
    [
        ("a, b):\n    return a + b\n", Cut("def f(", "\n"), True, "a, b):\n    return a + b"),
        ("a, b)", Cut("f(", ")\nnext"), True, "a, b"),  # the bracket stands there already
        ("a\nb", Cut("f(", ")"), True, "a"),  # between two parts of a line there is room for a line
        ("return x\nprint(", Cut("", "\n"), False, "return x"),  # stopped in the middle of its last line
        ("return x", Cut("", "\n"), False, "return x"),
        ("   \n\n", Cut("x", ""), True, ""),
        ("b = 2", Cut("a = 1\n", "b = 2\nc"), True, ""),  # what follows anyway
        ("a = 1", Cut("a = 1\n", ""), True, ""),  # what stood before
        ("x\r\ny\0", Cut("", ""), True, "x\ny"),
    ],
)
def test_only_what_is_worth_it_is_shown(text: str, cut: Cut, whole: bool, shown: str) -> None:
    assert worth_showing(text, cut, whole=whole) == shown


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.booleans())
def test_nothing_is_shown_that_was_not_written(text: str, before: str, after: str, whole: bool) -> None:
    shown = worth_showing(text, Cut(before, after), whole=whole)
    assert shown in text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    assert shown == "" or shown.strip()


def test_typing_along_leaves_the_rest() -> None:
    suggestion = Suggestion(Cut("de", "\n"), "f f():")
    assert suggestion.typed_on(Cut("def", "\n")) == " f():"
    assert suggestion.typed_on(Cut("dex", "\n")) == ""
    assert suggestion.typed_on(Cut("de", "\n")) == ""
    assert suggestion.typed_on(Cut("def", "x\n")) == ""
    assert suggestion.typed_on(Cut("d", "\n")) == ""
