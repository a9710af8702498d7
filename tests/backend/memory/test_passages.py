import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.passages import excerpt, reflow, slug, split

pytestmark = pytest.mark.unit
PAGE = """Before any heading.

# Title

First paragraph.

Second paragraph.

## Inner `code`

Under the inner heading.

# Other

```
# not a heading

still code
```
"""


def test_passages_carry_the_headings_above_them() -> None:
    assert [(passage.path, passage.text.split()[0]) for passage in split(PAGE)] == [
        ("", "Before"),
        ("Title", "First"),
        ("Title › Inner `code`", "Under"),
        ("Other", "```"),
    ]


def test_short_paragraphs_under_one_heading_are_one_passage() -> None:
    assert split(PAGE)[1].text == "First paragraph.\n\nSecond paragraph."


def test_a_fence_is_kept_whole() -> None:
    assert split(PAGE)[-1].text == "```\n# not a heading\n\nstill code\n```"


def test_a_passage_knows_the_line_where_it_begins() -> None:
    assert [passage.line for passage in split(PAGE)] == [1, 5, 11, 15]


def test_a_fence_that_is_never_closed_loses_nothing() -> None:
    assert split("```\ncode\n\nmore")[0].text == "```\ncode\n\nmore"


def test_a_long_list_of_lines_is_cut_between_lines() -> None:
    lines = [f"line {number} " + "x" * 60 for number in range(40)]
    passages = split("\n".join(lines))
    assert "\n".join(passage.text for passage in passages) == "\n".join(lines)
    assert [lines[passage.line - 1] for passage in passages] == [passage.text.split("\n")[0] for passage in passages]


def test_one_endless_line_is_cut_at_sentences() -> None:
    passages = split("A sentence of some length stands here. " * 60)
    assert all(passage.text.endswith(".") for passage in passages)
    assert len(passages) > 1


@given(st.text())
def test_nothing_but_space_and_headings_is_ever_lost(text: str) -> None:
    whole = "".join(passage.path + passage.text for passage in split(text))
    assert not {char for char in text if not char.isspace() and char not in "#›"} - set(whole)


@given(st.text(alphabet="ab .#\n`", max_size=5000))
def test_no_passage_is_too_long_to_read(text: str) -> None:
    assert all(len(passage.text) <= 1000 or "```" in passage.text for passage in split(text))


def test_a_short_text_is_quoted_as_it_is() -> None:
    assert excerpt("# Short\ntext", {"short"}) == "# Short\ntext"


def test_of_a_long_text_the_passage_with_the_words_is_quoted() -> None:
    text = "\n\n".join(["Nothing here. " * 40, "The lease ends in May. " + "Filling. " * 40, "Nor here. " * 60])
    assert excerpt(text, {"lease", "may"}).startswith("The lease ends")


def test_a_heading_has_the_anchor_that_renderers_make() -> None:
    assert slug("How do I connect VS Code?") == "how-do-i-connect-vs-code"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("One\ntwo\nthree.\n\nFour\nfive.", "One two three.\n\nFour five."),
        ("It can:\n\n- answer\n  questions;\n- remember.", "It can:\n\n- answer questions;\n- remember."),
        ("First\n1. one\n2) two\n   more", "First\n1. one\n2) two more"),
        ("Type:\n```\na\nb\n```\nThen\nwait.", "Type:\n```\na\nb\n```\nThen wait."),
        ("| a |\n| - |\n| b |\nafter\nit", "| a |\n| - |\n| b |\nafter it"),
        ("# Head\none\ntwo", "# Head\none two"),
        ("one  \ntwo\\\nthree\nfour", "one  \ntwo\\\nthree four"),
        ("one\n> said\n> twice", "one\n> said\n> twice"),
        ("one\n---\ntwo", "one\n---\ntwo"),
        ("", ""),
    ],
)
def test_a_paragraph_of_markdown_becomes_one_line_and_everything_else_stays(text: str, shown: str) -> None:
    assert reflow(text) == shown


@given(st.text("ab -*1.)#>|`~\n\\", max_size=60))
def test_reflowing_changes_line_ends_alone(text: str) -> None:
    assert "".join(reflow(text).split()) == "".join(text.split())
