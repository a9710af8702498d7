from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_lsp.recalling import MOST, plainly_about, query, word_at
from hearth_shared.wire import Hit

pytestmark = pytest.mark.unit


def hit(text: str, **others: Any) -> Hit:
    return cast("Hit", {"text": text, **others})


def test_the_word_around_a_column() -> None:
    line = "host = staging-server.anemone_db"
    assert word_at(line, 9) == "staging-server"
    assert word_at(line, 21) == "staging-server"
    assert word_at(line, 24) == "anemone_db"
    assert word_at(line, 5) == ""
    assert word_at("", 0) == ""


def test_words_that_say_too_little_are_not_asked_about() -> None:
    assert [query(word) for word in ("self", "Return", "abc", "2026", "")] == [""] * 5
    assert query("anemone") == "anemone"
    assert query("retryAfter") == "retryAfter retry After"
    assert query("HTTPServer_max") == "HTTPServer_max HTTP Server max"


def test_a_memory_is_shown_when_it_names_the_word() -> None:
    known = [hit("The staging server is called Anemone."), hit("Lunch is at noon."), hit("When is Anemone rebooted?")]
    assert plainly_about("anemone", "host = anemone", known) == known[:1]
    assert plainly_about("anemon", "host = anemon", known) == []
    assert plainly_about("staging_server", "staging_server", known) == known[:1]


def test_a_word_of_many_memories_needs_another_one_of_its_line() -> None:
    many = [hit(f"The server number {number} hums.") for number in range(6)] + [hit("The server Anemone hums.")]
    assert plainly_about("server", "server.start()", many) == []
    assert plainly_about("server", "server = anemone", many) == many[-1:]


@given(st.text(), st.integers(0, 50), st.lists(st.text(), max_size=8))
def test_no_text_breaks_it(line: str, column: int, texts: list[str]) -> None:
    word = word_at(line, column)
    query(word)
    assert len(plainly_about(word or "word", line, [hit(text) for text in texts])) <= MOST
