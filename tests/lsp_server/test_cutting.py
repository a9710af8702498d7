import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_lsp.cutting import Beside, around, beside, clean, is_private
from hearth_lsp.document import Document, Place

pytestmark = pytest.mark.unit

TEXTS = st.text(st.sampled_from("ab \n\r😀\ud83d"), max_size=200)


@given(TEXTS, st.integers(0, 30), st.integers(0, 30), st.integers(0, 60), st.integers(0, 60))
def test_a_cut_lies_at_the_cursor_and_is_not_too_long(
    text: str, line: int, character: int, before: int, after: int
) -> None:
    document = Document("u", text)
    place = document.place(line, character)
    cut = around(document, place, before, after)
    at = sum(len(one) for one in document.lines[: place.line]) + place.column
    assert clean(text[:at]).endswith(cut.before)
    assert clean(text[at:]).startswith(cut.after)
    assert len(cut.before) <= before
    assert len(cut.after) <= after


def test_the_beginning_stays_while_a_person_types() -> None:
    text = "".join(f"line {number}\n" for number in range(5000))
    document = Document("u", text)
    beginnings: set[str] = set()
    for number in range(60):
        line = "x" * number
        typed = Document("u", text + line)
        beginnings.add(around(typed, Place(5000, number)).before[:40])
    assert len(beginnings) <= 2
    assert len(around(document, document.end).before) > 15_000


def test_a_file_of_one_line_is_cut_in_it() -> None:
    document = Document("u", "a" * 5_000_000)
    cut = around(document, Place(0, 2_500_000))
    assert 12_000 <= len(cut.before) <= 16_000
    assert len(cut.after) == 4_000


def test_other_files_are_the_last_used_and_not_those_of_secrets() -> None:
    documents = [Document(f"u{number}", f"text {number}\r\n") for number in range(9)]
    names = {f"u{number}": f"f{number}.py" for number in range(9)} | {"u0": ".env.local", "u1": "keys/server.pem"}
    found = beside(documents, names)
    assert found == [Beside(f"f{number}.py", f"text {number}\n") for number in (2, 3, 4, 5)]


@pytest.mark.parametrize(
    "name", [".env", "a/.env.prod", "id_ed25519", "x/y.PEM", "credentials.json", ".netrc", "secrets.yaml"]
)
def test_files_of_secrets_are_known(name: str) -> None:
    assert is_private(name)


@pytest.mark.parametrize(
    "name", ["env.py", "monkey.py", "secretary.md", "id_card/readme.md", "keys.py", "x.environment"]
)
def test_other_files_are_not(name: str) -> None:
    assert not is_private(name)
