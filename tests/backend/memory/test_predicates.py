import pytest

from hearth_backend.memory.predicates import TABLE, cardinality, is_predicate, search_terms, sentence

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("subject", "name", "value", "past", "text"),
    [
        ("me", "lives_in", "Halle", False, "You live in Halle"),
        ("me", "lives_in", "Halle", True, "You lived in Halle"),
        ("Lena", "works_at", "Volvo", False, "Lena works at Volvo"),
        ("Lena", "works_at", "Volvo", True, "Lena worked at Volvo"),
        ("me", "allergic_to", "nuts", False, "You are allergic to nuts"),
        ("me", "favourite:editor", "Helix", False, "Your favourite editor is Helix"),
        ("me", "account:GitHub", "jo", False, "Your GitHub account is jo"),
        ("me", "name", "Jo", False, "You are called Jo"),
        ("wifi", "name", "Fuchsbau", True, "wifi was called Fuchsbau"),
        ("lamp", "shoe_size", "39", False, "lamp shoe size 39"),
    ],
)
def test_a_fact_reads_as_a_sentence(subject: str, name: str, value: str, past: bool, text: str) -> None:
    assert sentence(subject, name, value, past=past) == text


def test_every_predicate_of_the_table_has_a_form_and_a_count() -> None:
    assert all(is_predicate(name) and cardinality(name) in ("one", "many") for name in TABLE)
    assert cardinality("favourite:editor") == "one"
    assert cardinality("never_heard_of") == "many"


@pytest.mark.parametrize("name", ["", "Lives", "a b", "x:", "1x", "x: y", "drop table;"])
def test_what_is_no_predicate_is_told(name: str) -> None:
    assert not is_predicate(name)


def test_terms_meet_in_singular_and_plural() -> None:
    assert search_terms("Lives", "live", "cities") == ["live", "city"]
