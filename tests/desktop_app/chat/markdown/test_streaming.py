"""The same text gives the same document, in whatever pieces it comes; a frame costs the same however long it is."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from support.documents import Page
from support.markdown_corpus import Kind, corpus

pytestmark = pytest.mark.desktop

LINES = st.sampled_from(
    [
        *(
            "para",
            "more text",
            "**bold** and `code`",
            "# Head",
            "## Two",
            "Setext",
            "===",
            "---",
            "***",
            "> quote",
            "> > in",
        ),
        *(
            "- item",
            "- [x] done",
            "* star",
            "  - below",
            "1. one",
            "2. two",
            "7) seven",
            "   next",
            "    indented",
            "-",
            "1.",
        ),
        *("```python", "```", "~~~", "````", "def f(x):", '    """doc', "| a | b |", "|---|--:|", "| 1 | 2 |", "a | b"),
        *(
            "[ref]",
            "[ref]: https://example.org",
            "[x][ref] y",
            "'title",
            "more'",
            "[1]: https://example.com",
            "see [1]",
        ),
        *(
            "<b>html</b>",
            "![pic](https://example.org/p.png)",
            "line  ",
            "back\\",
            "",
            "",
            "",
            "\u2028",
            "tab\there",
            "#",
        ),
    ]
)
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r", "\n\n"])
TEXTS = st.lists(st.tuples(LINES, ENDS), max_size=14).map(lambda lines: "".join(line + end for line, end in lines))


def cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


@given(TEXTS, st.integers(1, 9))
@settings(max_examples=300, deadline=None)
def test_any_pieces_give_the_same_document(qapp: object, text: str, size: int) -> None:
    assert Page().stream(cut(text, size)).content() == Page().stream([text]).content()


@given(st.text(max_size=60), st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_any_text_at_all_gives_the_same_document(qapp: object, text: str, size: int) -> None:
    assert Page().stream(cut(text, size)).content() == Page().stream([text]).content()


@pytest.mark.parametrize("size", [1, 3, 17, 400])
def test_a_long_answer_in_pieces_is_the_answer_at_once(qapp: object, size: int) -> None:
    text = "".join(corpus(1500))
    assert Page().stream(cut(text, size)).content() == Page().stream([text]).content()


@pytest.mark.parametrize("kind", ["code", "list", "table"])
def test_one_long_block_in_pieces_is_the_block_at_once(qapp: object, kind: Kind) -> None:
    text = "".join(corpus(2000, kind))
    assert Page().stream(cut(text, 11)).content() == Page().stream([text]).content()


def test_line_ends_and_odd_separators_do_not_shift_the_cut(qapp: object) -> None:
    text = "one\u2028still one\r\n\r\ntwo\x0cstill two\r\n\r\n```c\r\nint a;\r\n```\r\n\r\nthree\r\n"
    once = Page().stream([text])
    assert all(Page().stream(cut(text, size)).content() == once.content() for size in (1, 2, 5))
    assert once.text.count("three") == 1
    assert "int a;" in once.text


def test_what_stands_before_and_after_stays(qapp: object) -> None:
    page = Page().stream(corpus(600))
    assert page.text.startswith("what stands before\n")
    assert page.text.rstrip("\n").endswith("what stands after")
    page.slot.clear()
    assert page.text.split() == ["what", "stands", "before", "what", "stands", "after"]


def test_a_table_in_the_middle_can_be_forgotten(qapp: object) -> None:
    page = Page().stream(cut("text\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nmore\n", 3))
    assert "4" in page.text
    page.slot.clear()
    assert page.text.split() == ["what", "stands", "before", "what", "stands", "after"]


def test_a_definition_at_the_end_makes_links_of_what_was_settled(qapp: object) -> None:
    text = "See [the page][p].\n\n- also [p]\n- and not [q]\n\nMore.\n\nEnd.\n\n[p]: https://example.org/p\n"
    page = Page().stream(cut(text, 4))
    links = page.links()
    assert links == ["https://example.org/p", "https://example.org/p"]
    assert "[q]" in page.text


def test_a_docstring_is_coloured_as_a_whole_once_its_fence_closes(qapp: object) -> None:
    code = '```python\ndef f():\n    """One.\n\n    if this were code, it would be coloured\n    """\n```\n'
    page = Page().stream(cut(code, 5))
    assert page.content() == Page().stream([code]).content()
    assert len(page.colours("if this were")) == 1


def test_a_dangerous_link_is_only_text(qapp: object) -> None:
    page = Page().stream(
        ["[a](javascript:alert(1)) [b](file:///etc/passwd) ![c](data:image/png;base64,AA) <https://ok.example>"]
    )
    links = page.links()
    assert links == ["https://ok.example"]


def test_text_that_would_turn_the_reading_order_is_made_visible(qapp: object) -> None:
    page = Page().stream(["safe \u202etxt.exe `\u2066code`\n\n```\nrm \u202e-rf\u2029x\n```\n"])
    assert "\u202e" not in page.text
    assert page.text.count("⟦U+202E⟧") == 2
    assert "-rf⟦U+2029⟧x" in page.text


def test_numbers_of_a_long_list_go_on(qapp: object) -> None:
    page = Page().stream(cut("".join(f"1. item {n}\n" for n in range(1, 121)), 7))
    assert "120.\titem 120" in page.text
    assert "\n1.\titem 1\n" in page.text


@pytest.mark.parametrize("kind", ["mixed", "code", "list", "table"])
def test_the_cost_of_a_frame_does_not_grow(qtbot: QtBot, kind: Kind) -> None:
    page, cost = Page(), list[float]()
    tokens = corpus(3000, kind)
    for start in range(0, len(tokens), 2):
        before = time.thread_time()
        page.markdown.feed("".join(tokens[start : start + 2]))
        page.markdown.render()
        page.document.documentLayout().documentSize()
        cost.append(time.thread_time() - before)
    tenth = len(cost) // 10
    assert sum(cost[-tenth:]) < 3 * sum(cost[tenth : 2 * tenth]) + 0.1
