import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_shared.display import CLOSE, OPEN, display, is_visible, undisplay

pytestmark = pytest.mark.unit


def test_every_code_point_is_visible_or_escaped_and_comes_back() -> None:
    everything = "".join(map(chr, range(0x110000)))
    shown = display(everything, keep="")
    assert undisplay(shown) == everything
    assert all(is_visible(character) for character in set(shown) - {OPEN, CLOSE})


@given(st.text(st.sampled_from([*"ab \n\t\r[]U+0", OPEN, CLOSE, "\u202e", "\u200b", "\ufe0f", "\U000e0041", "é"])))
def test_two_texts_never_look_the_same(text: str) -> None:
    assert undisplay(display(text)) == text


@pytest.mark.parametrize(
    ("attack", "shown"),
    [
        ("\x1b[2J", "⟦U+001B⟧[2J"),
        ("\x9b31m", "⟦U+009B⟧31m"),
        ("safe\rrm -rf", "safe⟦U+000D⟧rm -rf"),
        ("a\u202eb", "a⟦U+202E⟧b"),
        ("a\u200bb", "a⟦U+200B⟧b"),
        ("a\U000e0041", "a⟦U+E0041⟧"),
        ("a\ufe01", "a⟦U+FE01⟧"),
        ("\u3164", "⟦U+3164⟧"),
        ("\u00a0", "⟦U+00A0⟧"),
        ("\ue000", "⟦U+E000⟧"),
    ],
)
def test_what_hides_or_commands_is_shown(attack: str, shown: str) -> None:
    assert display(attack) == shown


def test_a_card_keeps_its_lines_and_a_log_has_one() -> None:
    assert display("a\n\tb") == "a\n\tb"
    assert "\n" not in display("a\nb", keep="")


def test_text_of_any_language_stays_as_it_is() -> None:
    text = "Grüße, 世界, שלום, नमस्ते 🙂"
    assert display(text) == text
