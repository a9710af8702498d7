import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.sentences import statements

pytestmark = pytest.mark.unit


def said(text: str) -> list[str]:
    return [sentence.text for sentence in statements(text)]


def test_statements_stand_alone_without_what_opens_them() -> None:
    assert said("Hi! Actually, I moved to Halle. By the way: my boss is Dr. Vogel.") == [
        "I moved to Halle",
        "my boss is Dr. Vogel",
    ]


@pytest.mark.parametrize("text", ["Is it late?", "If it rains.", "Maybe.", "He said: no.", "def f(): pass", "\0"])
def test_what_states_nothing_is_left_out(text: str) -> None:
    assert said(text) == []


@given(st.text(max_size=300))
def test_places_lie_in_order_inside_the_text(text: str) -> None:
    end = 0
    for sentence in statements(text):
        assert end <= sentence.start < sentence.end <= len(text)
        end = sentence.end
