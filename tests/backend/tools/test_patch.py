import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.tools.patch import difference, patched
from hearth_shared.errors import BadRequest

pytestmark = pytest.mark.unit

TEXT = "one\ntwo\nthree\nfour\ntwo\nfive\n"
LINES = st.lists(st.text(st.characters(blacklist_characters="\n\r", codec="utf-8"), max_size=5), max_size=12)


@given(LINES, LINES)
def test_a_difference_applied_gives_the_other_text(before: list[str], after: list[str]) -> None:
    one, other = "\n".join(before), "\n".join(after)
    if one != other:
        assert patched(one, difference("a", one, other)) == other


def test_line_numbers_are_hints() -> None:
    assert patched(TEXT, "@@ -90,2 +90,2 @@\n three\n-four\n+4\n") == TEXT.replace("four", "4")
    assert patched(TEXT, "@@ @@\n four\n-two\n+2\n five\n") == "one\ntwo\nthree\nfour\n2\nfive\n"
    assert patched(TEXT, "@@ -5,1 +5,1 @@\n-two\n+2\n") == "one\ntwo\nthree\nfour\n2\nfive\n"


def test_an_empty_file_can_be_filled() -> None:
    assert patched("", "@@ -0,0 +1,2 @@\n+a\n+b\n") == "a\nb\n"


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ("", "has no hunk"),
        ("hello", "does not begin with a hunk"),
        ("@@ -1,1 +1,1 @@\n-six\n+6\n", "its lines are not in the file"),
        ("@@ @@\n-two\n+2\n", "fits in 2 places"),
        ("@@ @@\n one\n two\n", "changes nothing"),
        ("@@ @@\n*one\n", "begins with '\\*'"),
        ("@@ @@\n+new\n", "without saying between which"),
        ("@@ @@\n-one\n+1\n" * 501, "more than 500"),
    ],
)
def test_what_does_not_fit_is_said(patch: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        patched(TEXT, patch)


@given(st.text(), st.text())
def test_any_patch_is_applied_or_refused(text: str, patch: str) -> None:
    with contextlib.suppress(BadRequest):
        patched(text, patch)
