"""What is found in a text that should not leave, what is left alone, and that no text makes the search slow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.shapes import spans
from support.planted import PLAIN, PLANTED, Planted

pytestmark = pytest.mark.unit


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in spans(text)]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.kind)
def test_a_secret_is_found_whole_and_nothing_else_is(planted: Planted) -> None:
    for before, after in (("", ""), ("It is ", " as of today."), ("(", ")"), ("> ", "\n"), ("\t", ", then")):
        text = f"{before}{planted.text}{after}"
        assert found(text) == [planted.value]


@pytest.mark.parametrize("text", PLAIN)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111 12/27",
        "4111 1111 1111 1111 123",
        "order 7 4111-1111-1111-1111 2027",
        "4111111111111111 4111111111111111",
    ],
    ids=["expiry date behind it", "check value behind it", "numbers around it", "two of them"],
)
def test_a_card_is_found_among_other_digits(text: str) -> None:
    assert "1111" not in "".join(_left(text))


def test_an_account_is_found_before_capitals() -> None:
    text = "FR76 3000 6000 0112 3456 7890 189 BNPA FRPP"
    assert found(text) == ["FR76 3000 6000 0112 3456 7890 189"]


def test_what_overlaps_is_masked_as_one() -> None:
    text = "password=marie@example.org"
    assert found(text) == ["marie@example.org"]


@given(st.text(), st.sampled_from(PLANTED), st.text())
def test_no_surroundings_hide_a_secret(before: str, planted: Planted, after: str) -> None:
    text = f"{before}\n{planted.text}\n{after}"
    assert planted.value not in "".join(_left(text))


@given(st.text())
def test_spans_are_in_order_and_apart(text: str) -> None:
    ends = 0
    for span in spans(text):
        assert ends <= span.start < span.end <= len(text)
        ends = span.end


@pytest.mark.parametrize("piece", ["1 ", "a@", "token=", "eyJ", "::", "A1", "-----BEGIN PRIVATE KEY-----", "+1", "is "])
def test_no_repetition_makes_the_search_endless(piece: str) -> None:
    spans(piece * (50_000 // len(piece)))


def _left(text: str) -> list[str]:
    """What is not masked."""
    left, end = list[str](), 0
    for span in spans(text):
        left.append(text[end : span.start])
        end = span.end
    return [*left, text[end:]]
