import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.gone import Gone, blank, own_words

pytestmark = pytest.mark.unit


def gone(*texts: str, own: frozenset[str] = frozenset()) -> Gone:
    return Gone(frozenset({"epi_1"}), texts, own=own)


@pytest.mark.parametrize(
    ("forgotten", "text", "masked"),
    [
        ("the key lies under the mat", "You said: the key lies under it.", "You said: ███ ███ ████ █████ it."),
        ("the key lies under the mat", "the key and the mat", "the key and the mat"),
        ("Bo sings", "Yes, bo SINGS well.", "Yes, ██ █████ well."),
        ("yes", "yes and no", "yes and no"),
        ("🚀🚀", "to 🚀🚀 and 🚀", "to ██ and 🚀"),
        ("שלום עולם יפה מאוד", "אמרת: שלום עולם יפה מאוד!", "אמרת: ████ ████ ███ ████!"),
        ("", "anything", "anything"),
    ],
)
def test_quotations_are_masked_sign_by_sign(forgotten: str, text: str, masked: str) -> None:
    assert gone(forgotten).mask(text) == masked


def test_words_of_its_own_go_wherever_they_stand() -> None:
    assert gone("the code is 7431-KESTREL", own=frozenset({"7431", "kestrel"})).mask("Use 7431-Kestrel, kestrels!") == (
        "Use ████████████, kestrels!"
    )


@given(st.text(max_size=60), st.text(max_size=80))
def test_a_mask_keeps_every_place(forgotten: str, text: str) -> None:
    words = frozenset(own_words([forgotten], 100))
    masked = gone(forgotten, own=words).mask(text)
    assert len(masked) == len(text)
    assert all(new in (old, "█") for new, old in zip(masked, text, strict=True))
    assert gone(forgotten, own=words).mask(masked) == masked


@given(st.text(min_size=1, max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_a_text_is_never_left_whole(text: str, before: str, after: str) -> None:
    words = frozenset(own_words([text], 100))
    masked = gone(text, own=words).mask(f"{before} {text} {after}")
    assert not any(word in masked.lower().split() for word in words)


def test_needles_lie_within_the_text_as_json_has_it() -> None:
    text = 'A "quoted" and rather long sentence,\nwith a second line.'
    assert gone(text).needles() == [b" and rather long sentence,"[1:], b"with a second line."]
    assert gone("short").needles() == []


def test_common_words_are_nobodys_own() -> None:
    assert own_words(["The heron and the Heron, in it"], 9) == ["heron"]
    assert own_words(["alpha beta gamma"], 2) == ["alpha", "beta"]


def test_blanked_text_keeps_its_lines() -> None:
    assert blank("a b\nc") == "█ █\n█"
