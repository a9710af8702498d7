import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_lsp.document import Change, Document, Encoding, Place, Span, bare, column_of, split, units

pytestmark = pytest.mark.unit

LETTERS = st.sampled_from(
    ["a", "é", "語", "😀", "\n", "\r", "\r\n", "\u2028", "\x0c", "\x85", "\ud83d", "\ude00", "e\u0301"]
)
TEXTS = st.lists(LETTERS, max_size=30).map("".join)
ENCODINGS: list[Encoding] = ["utf-8", "utf-16", "utf-32"]
EVERY = pytest.mark.parametrize("encoding", ENCODINGS)


def offset(document: Document, place: Place) -> int:
    return sum(len(line) for line in document.lines[: place.line]) + place.column


@given(TEXTS)
def test_lines_end_where_the_specification_says(text: str) -> None:
    lines = split(text)
    assert "".join(lines) == text
    assert len(lines) == 1 + text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


@EVERY
@given(text=TEXTS, changed=TEXTS, points=st.tuples(*[st.integers(0, 40)] * 4))
def test_a_change_is_what_it_would_be_to_the_whole_text(
    encoding: Encoding, text: str, changed: str, points: tuple[int, int, int, int]
) -> None:
    document = Document("u", text, encoding=encoding)
    start, end = (points[0] % 5, points[1]), (points[2] % 5, points[3])
    span = document.span(start, end)
    expected = text[: offset(document, span.start)] + changed + text[offset(document, span.end) :]
    document.apply([Change(changed, start, end)], 7)
    assert document.text == expected
    assert list(document.lines) == split(expected)
    assert document.version == 7


@EVERY
@given(text=TEXTS, line=st.integers(-1, 40), character=st.integers(-1, 80))
def test_every_position_is_some_place_and_comes_back(encoding: Encoding, text: str, line: int, character: int) -> None:
    document = Document("u", text, encoding=encoding)
    place = document.place(line, character)
    assert 0 <= place.line < len(document.lines)
    assert 0 <= place.column <= len(bare(document.lines[place.line]))
    assert document.place(place.line, document.character(place)) == place


@pytest.mark.parametrize(
    ("encoding", "character", "column"),
    [
        ("utf-8", 1, 1),
        ("utf-8", 2, 1),  # in the middle of é
        ("utf-8", 3, 2),
        ("utf-8", 5, 2),  # in the middle of 😀
        ("utf-8", 7, 3),
        ("utf-16", 2, 2),
        ("utf-16", 3, 2),  # between the halves of 😀
        ("utf-16", 4, 3),
        ("utf-32", 3, 3),
        ("utf-16", 999, 4),
    ],
)
def test_a_position_in_the_middle_of_a_character_is_before_it(encoding: Encoding, character: int, column: int) -> None:
    assert column_of("aé😀b", character, encoding) == column


def test_half_a_character_alone_counts_as_one() -> None:
    assert [column_of("a\ud83db", unit, "utf-16") for unit in range(4)] == [0, 1, 2, 3]
    assert units("a\ud83db", "utf-16") == 3


@EVERY
def test_a_long_line_is_counted_as_a_short_one(encoding: Encoding) -> None:
    line = "aé😀" * 2000
    for column in (0, 1, 1023, 1024, 1025, 2048, 5999, 6000):
        assert column_of(line, units(line[:column], encoding), encoding) == column


def test_beyond_the_end_is_the_end() -> None:
    document = Document("u", "ab\r\ncd")
    assert document.place(0, 99) == Place(0, 2)  # not behind its line's end
    assert document.place(7, 0) == Place(1, 2)
    assert document.span((1, 1), (0, 1)) == Span(Place(0, 1), Place(1, 1))


def test_a_whole_text_replaces_all() -> None:
    document = Document("u", "old\r\n")
    assert document.end_of_line == "\r\n"
    document.apply([Change("new\n")], None)
    assert (document.text, document.end_of_line, document.version) == ("new\n", "\n", 0)


def test_a_keystroke_in_a_large_file_touches_its_own_line() -> None:
    document = Document("u", "x = 'ä😀'\r\n" * 400_000, encoding="utf-16")  # 6 MB
    before = time.process_time()
    for number in range(200):
        document.apply([Change("y", (200_000, 5 + number), (200_000, 5 + number))], number)
    assert document.line(200_000).startswith("x = '" + "y" * 200)
    assert time.process_time() - before < 20  # a hang limit: it takes a few milliseconds
