import re
from datetime import datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_lsp.texts import Link, ago, answer_page, file_name, hover, is_page, page_link, plain, recall_page, told
from hearth_shared.wire import Answer, Hit, Source

pytestmark = pytest.mark.unit

NOW = datetime.fromisoformat("2026-11-25T12:00:00+00:00").timestamp()


def hit(text: str, source: str = "person", speaker: str = "me") -> Hit:
    return cast("Hit", {"text": text, "source": source, "speaker": speaker, "occurred_at": "2026-11-22T12:00:00+00:00"})


def source(**given_: Any) -> Source:
    return cast(
        "Source",
        {"n": 1, "kind": "file", "id": "a.py:3", "title": "a.py", "quote": "x", "speaker": "", "occurred_at": None}
        | {"score": 1.0, "location": "a.py:3", "cited": True}
        | given_,
    )


def test_a_hover_cites_the_page_it_knows_it_from() -> None:
    shown = hover([hit("Anemone is rebooted on Mondays.", "https://example.org/ops?x=1")], NOW, markdown=True)
    assert "“Anemone is rebooted on Mondays.”" in shown
    assert "from [example.org/ops](https://example.org/ops?x=1), 3 days ago" in shown


def test_a_hover_as_plain_text_says_the_same() -> None:
    shown = hover([hit("It hums.", "https://example.org/ops"), hit("So it is.", speaker="Ada")], NOW, markdown=False)
    assert "“It hums.” — from https://example.org/ops, 3 days ago" in shown
    assert "“So it is.” — said by Ada, 3 days ago" in shown


@given(st.text() | st.text(st.sampled_from("`*_[]<>~&$\\ a:/w.")))
def test_a_quote_can_do_nothing(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    bare = re.sub(r"\\.", "", shown)  # without what is escaped
    assert not set(bare) & set("`*[]<>~&$\\")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See https://evil.example or www.evil.example.", "See https\\://evil.example or www\\.evil.example."),
        ("_so_ snake_case __init__", "\\_so\\_ snake_case \\__init_\\_"),
        ("a <b> & `c` [d](e) *f* ~g~ $h$", "a \\<b\\> \\& \\`c\\` \\[d\\](e) \\*f\\* \\~g\\~ \\$h\\$"),
        ("1.5 - 2 (x)!", "1.5 - 2 (x)!"),
    ],
)
def test_only_signs_that_do_something_are_escaped(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_quote_hides_nothing_and_loads_nothing() -> None:
    shown = hover([hit("![x](https://evil.example/p.png)\u202e <img src=x>")], NOW, markdown=True)
    assert "![" not in shown
    assert "\\<img" in shown
    assert "U+202E" in shown


@given(st.text())
def test_an_address_stays_inside_its_link(text: str) -> None:
    url = f"https://example.org/{text}"
    if is_page(url):
        target = page_link(url).rpartition("](")[2]
        assert target.endswith(")")
        assert not set(target[:-1]) & set("()<> \n\\")


def test_only_addresses_are_pages() -> None:
    assert is_page("https://example.org")
    assert not is_page("javascript:alert(1)")
    assert not is_page("https://")
    assert not is_page("person")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5, "just now"),
        (61, "1 min ago"),
        (7200, "2 hours ago"),
        (86400, "1 day ago"),
        (9e7, "2 years ago"),
        (-5, "just now"),
    ],
)
def test_ages_are_in_words(seconds: float, said: str) -> None:
    assert ago(0, seconds) == said


def test_an_answer_has_its_sources_and_says_where_it_was_made() -> None:
    by = {"where": "no model", "model": "", "provider": "", "test_model": False}
    answer = cast(
        "Answer",
        {"text": "It is **so** [1].", "sources": [source()], "made_by": by, "complete": False, "notes": ["no_way"]},
    )
    page = answer_page("why?", answer, [Link(uri="file:///w/a.py", line=3)])
    assert "It is **so** [1]." in page
    assert "broke off" in page
    assert "1. [a.py](file:///w/a.py#L3)" in page
    assert "no_way" in page
    assert "no language model connected" in page


def test_a_source_for_an_extension_says_where_it_opens() -> None:
    assert told(source(), Link(uri="file:///w/a.py", line=3))["line"] == 3
    assert told(source(kind="memory"), Link(url="https://example.org"))["url"] == "https://example.org"


def test_what_the_person_said_is_called_so() -> None:
    assert told(source(kind="memory", title="me"), Link())["title"] == "you"
    assert told(source(kind="memory", title="Ada"), Link())["title"] == "Ada"


def test_recall_that_finds_nothing_says_so() -> None:
    page = recall_page("x", [], ["words only"], NOW)
    assert "Nothing in memory fits." in page
    assert "words only" in page


@given(st.text())
def test_a_files_name_is_a_name(title: str) -> None:
    name = file_name(title, datetime(2026, 11, 25, 13, 5))
    assert name.startswith("2026-11-25-130500-")
    assert name.endswith(".md")
    assert "/" not in name
    assert len(name.encode()) < 255
