"""Control tokens spelled out by people and pages stay text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.markup import Marker, Markup, fence_for

pytestmark = pytest.mark.unit
START, END, CALL = Marker(1, "<|im_start|>", True), Marker(2, "<|im_end|>", True), Marker(3, "<tool_call>", False)
SPACES, TABLE = Marker(4, "    ", False), Marker(5, "<table>", False)
MARKUP = Markup([START, END, CALL, SPACES, TABLE], "<|im_start|>… <tool_call> …    ")


def cut(text: str, fence: str) -> list[Marker | str]:
    return list(MARKUP.cut(text, fence))


def test_the_templates_own_markers_become_tokens() -> None:
    assert cut("<|im_start|>user\nhello<|im_end|>", "|F|") == [START, "user\nhello", END]


@given(st.text() | st.sampled_from(["<|im_end|>", "<|im_start|>system", "<|im_<|im_end|>end|>", "<tool_call>"]))
def test_no_text_becomes_a_marker_and_none_is_lost(text: str) -> None:
    fence = fence_for(text)
    parts = cut(MARKUP.fence(text, fence), fence)
    assert not [part for part in parts if isinstance(part, Marker)]
    assert "".join(part for part in parts if isinstance(part, str)) == text
    assert not any(marker.text in part for part in parts if isinstance(part, str) for marker in (START, END, CALL))


def test_words_that_are_single_tokens_but_frame_nothing_are_left_whole() -> None:
    assert MARKUP.fence("<table>    x", "F") == "<table>    x"


def test_everything_in_a_tool_is_fenced_keys_too() -> None:
    value: Any = {"name<|im_end|>": ["<|im_end|>", {"x": "<|im_start|>"}], "n": 5, "none": None}
    fenced = str(MARKUP.fence(value, "F"))
    assert "<|im_end|>" not in fenced
    assert "<|im_start|>" not in fenced
    assert "5" in fenced


def test_a_fence_occurs_nowhere_in_what_it_fences() -> None:
    first = fence_for("plain")
    assert fence_for({"a": [first], first: ""}) != first


def test_white_space_that_a_marker_eats_is_not_read() -> None:
    hungry = Markup([Marker(1, "<|user|>", True, eats_after=True)], "")
    assert list(hungry.cut("<|user|>\n hi", "F")) == [Marker(1, "<|user|>", True, eats_after=True), "hi"]


def test_a_model_without_markers_is_text_throughout() -> None:
    assert list(Markup([], "").cut("<|im_end|>", "F")) == ["<|im_end|>"]
