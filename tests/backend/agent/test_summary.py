import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.agent.summary import chosen, is_asked, sentences

pytestmark = pytest.mark.unit

TEXT = """Harbour opens new mooring
Home
About us
The harbour of Vell opens forty new moorings in May. Each mooring costs 40 euros a night. Dogs are welcome.
The harbour master, Dr. Ana Ruiz, says the moorings were full every night last summer. "We sent boats away," she said.
Read more
Boats over twelve metres pay twice for a mooring. Coffee is served from six.
"""


@pytest.mark.parametrize(
    "question",
    [
        "Summarise this page.",
        "summarize",
        "Please summarise my notes",
        "Can you summarise this article?",
        "Give me a short summary of this",
        "sum it up",
        "TL;DR",
        "What is this page about?",
        "what's this about",
        "Summary, please",
    ],
)
def test_a_summary_is_asked_for_in_many_words(question: str) -> None:
    assert is_asked(question)


@pytest.mark.parametrize(
    "question",
    [
        "What does a mooring cost?",
        "Who summarised this?",
        "What is the summary judgment rule?",
        "",
        "Is this about me?",
    ],
)
def test_another_question_is_none(question: str) -> None:
    assert not is_asked(question)


def test_menus_and_headings_are_no_sentences() -> None:
    said = sentences(TEXT)
    assert said[0] == "The harbour of Vell opens forty new moorings in May."
    assert not {"Home", "About us", "Read more", "Harbour opens new mooring"} & set(said)


def test_the_sentences_that_carry_most_stand_in_their_order() -> None:
    said = chosen(TEXT, 3)
    assert said[0].startswith("The harbour of Vell opens forty new moorings")
    assert len(said) == 3
    assert said == sorted(said, key=TEXT.find)
    assert not any("Coffee" in sentence for sentence in said)


def test_what_is_said_twice_is_told_once() -> None:
    assert chosen("The bridge is closed today. " * 20) == ["The bridge is closed today."]


def test_a_text_without_sentences_has_none() -> None:
    assert chosen("Home\nAbout\n\n42") == []


def test_a_sentence_that_never_ends_is_cut_at_a_word() -> None:
    (said,) = chosen("word " * 5000 + "end.")
    assert said.endswith(" …")
    assert len(said) < 400


def test_a_giant_text_is_summed_up_too() -> None:
    text = " ".join(f"Sentence number {n} speaks about the harbour of {n % 7}." for n in range(20_000))
    assert 0 < len(chosen(text)) <= 6


@given(st.text(max_size=400), st.integers(min_value=1, max_value=8))
def test_whatever_the_text_no_more_than_asked_comes(text: str, most: int) -> None:
    assert len(chosen(text, most)) <= most
