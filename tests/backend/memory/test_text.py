import pytest

from hearth_backend.memory.text import (
    MOST_TERMS,
    Names,
    asks_when,
    is_question,
    proper_nouns,
    said,
    tells_when,
    terms,
    windows,
)

pytestmark = pytest.mark.unit


def test_terms_leave_out_the_words_that_every_question_has() -> None:
    assert terms("Where does Ana work, and does Ana like it?") == ["ana", "work", "like"]


def test_a_question_of_stop_words_keeps_them() -> None:
    assert terms("What can you do?") == ["what", "can", "you", "do"]


@pytest.mark.parametrize("text", ["", " ", "?!*", '"', "___", "🚀"])
def test_there_may_be_no_terms_at_all(text: str) -> None:
    assert terms(text) == []


def test_a_page_of_text_is_cut_to_a_query_of_bearable_length() -> None:
    assert len(terms(" ".join(f"word{number}" for number in range(1000)))) == MOST_TERMS


def test_a_window_is_a_turn_with_its_neighbours() -> None:
    assert windows(["a", "b", "c", "d"]) == ["a b", "a b c", "b c d", "c d"]


def test_a_turn_without_a_speaker_stands_alone_in_a_window() -> None:
    assert (said("Ana", "Hello"), said("", "Hello")) == ("Ana: Hello", "Hello")


@pytest.mark.parametrize("text", ["Where?", 'She asked "why?"', "*Really?*  "])
def test_a_question_is_known_by_its_end(text: str) -> None:
    assert is_question(text)


def test_a_statement_after_a_question_is_no_question() -> None:
    assert not is_question("Where? In Turin.")


def test_a_question_about_a_time_wants_a_text_that_tells_one() -> None:
    assert asks_when("When did she move?")
    assert asks_when("How long has she lived there?")
    assert not asks_when("Where was she when it rained?")
    assert tells_when("I moved here last week.")
    assert not tells_when("I moved here.")


def test_the_speaker_that_a_question_names_is_found_by_first_name_too() -> None:
    names = Names(("Ana Petrova", "Bo"))
    assert names.named("Where does Ana work?") == "Ana Petrova"
    assert names.named("What is bo's hobby?") == "Bo"


def test_several_named_speakers_are_none() -> None:
    assert Names(("Ana", "Bo")).named("When did Ana meet Bo?") is None


def test_a_name_that_two_speakers_share_is_none() -> None:
    assert Names(("Ana Petrova", "Ana Lind")).named("Where does Ana work?") is None


def test_names_are_stripped_from_a_question() -> None:
    bare = Names(("Ana", "Bo")).bare("What did Ana's brother tell Bo?")
    assert " ".join(bare.split()) == "What did brother tell ?"


def test_a_question_of_nothing_but_a_name_is_kept() -> None:
    assert Names(("Ana",)).bare("Ana") == "Ana"


@pytest.mark.parametrize("speaker", ["me", "you", "assistant", "person", ""])
def test_a_role_is_not_a_name(speaker: str) -> None:
    assert Names((speaker,)).named("Can you tell me which person is an assistant?") is None


def test_a_speaker_may_be_called_anything() -> None:
    names = Names(("C++ (the (language", ".*", "\\"))
    assert names.named("anything") is None
    assert names.bare("anything") == "anything"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("My sister is called Berta.", ["berta"]),
        ("Berta is here. Then Ana and Bo-Lee came, on Monday.", ["ana", "lee"]),
        ("No names here, and NASA is none.", []),
        ("", []),
    ],
)
def test_names_are_told_by_their_capital_letter(text: str, found: list[str]) -> None:
    assert proper_nouns(text) == found
