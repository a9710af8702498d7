import pytest

from hearth_backend.orchestrator.sqlite_run_store import title_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("What is new?", "What is new?"),
        ("\n\n  first line \nsecond", "first line"),
        ("word " * 30, "word word word word word word word word word word word…"),
        ("x" * 100, "x" * 59 + "…"),
        ("   ", ""),
    ],
)
def test_a_title_is_the_first_line_cut_between_words(text: str, title: str) -> None:
    assert title_of(text) == title
    assert len(title) <= 60
