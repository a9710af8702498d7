"""What is said about threads, answers and sources."""

import pytest

from hearth_desktop.chat import words
from support.wire_values import made_by, source, tokens

pytestmark = pytest.mark.unit
NOW = 1_762_000_000.0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (44, "just now"),
        (50, "1 min ago"),
        (180, "3 min ago"),
        (7200, "2 h ago"),
        (3 * 86_400, "3 d ago"),
    ],
)
def test_a_time_is_told_as_a_person_says_it(seconds: float, said: str) -> None:
    assert words.ago(NOW - seconds, NOW) == said


def test_a_time_long_ago_is_a_date() -> None:
    assert words.ago(NOW - 40 * 86_400, NOW) == words.day(NOW - 40 * 86_400)


def test_the_future_is_now() -> None:
    assert words.ago(NOW + 5, NOW) == "just now"


def test_an_answer_of_this_machine_says_so_without_a_price() -> None:
    assert words.made(made_by(), tokens()) == "This machine · qwen3-4b · 12 + 5 tokens"


def test_a_cloud_answer_says_who_and_how_much() -> None:
    cloud = made_by("cloud", model="big", provider="openai")
    assert words.made(cloud, tokens(1200, 5, 0.0123)) == "Cloud · big · openai · 1,200 + 5 tokens · $0.0123"
    assert words.made(cloud, tokens(1, 1, None)).endswith("price not known")
    assert words.made(cloud, None) == "Cloud · big · openai"


def test_a_test_model_and_no_model_are_named() -> None:
    assert "(test model)" in words.made(made_by(test_model=True), None)
    assert words.made(made_by("no model", model=""), None).startswith("No language model")


def test_only_what_the_person_said_here_is_theirs() -> None:
    assert words.speaker(source()) == "You"
    assert words.speaker(source(trusted=False)) == "Not your words"
    assert words.speaker(source(speaker="Anna")) == "Anna"


def test_a_chip_names_page_file_and_help() -> None:
    assert words.source_title(source(url="https://example.org/x", title="Harbour")) == "Harbour"
    assert words.source_title(source(url="https://example.org/x", title="")) == "https://example.org/x"
    assert words.source_title(source(kind="file", location="/home/me/notes.md:5")) == "notes.md:5"
    assert words.source_title(source(kind="file", location="", id="/home/me/notes.md")) == "notes.md"
    assert words.source_title(source(kind="docs", title="Asking › How do I ask?")) == "How do I ask?"


def test_a_strangers_text_cannot_turn_a_line() -> None:
    assert "\u202e" not in words.title("safe \u202egnp.exe")
    assert words.title("two\nlines") == "two lines"
    assert words.title("") == "New thread"
    assert len(words.title("x" * 500)) == 120
