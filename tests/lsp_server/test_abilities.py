from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_lsp.abilities import Abilities, kept, read
from support.editor import GHOSTS

pytestmark = pytest.mark.unit

NAMES = ["textDocument", "window", "workspace", "general", "positionEncodings", "hover", "contentFormat", "codeAction"]
JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=12,
)


def test_an_editor_that_says_nothing_can_nothing() -> None:
    assert read(None) == read({}) == Abilities()


def test_what_an_editor_says_is_read() -> None:
    assert read(GHOSTS) == Abilities(*[True] * 9)


@given(JSON)
def test_nothing_breaks_it(given_: object) -> None:
    read(given_)
    assert set(kept(given_)) <= {"general"}


def test_only_what_pygls_reads_is_kept() -> None:
    said: Any = {"general": {"positionEncodings": ["utf-8", 7], "markdown": {}}, "textDocument": {"hover": {}}}
    assert kept(said) == {"general": {"positionEncodings": ["utf-8"]}}
