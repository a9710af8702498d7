import pytest

from hearth_backend.engine.prefixes import Prefixes, prefixes_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "query", "document"),
    [
        ("nomic-embed-text-v1.5.Q8_0", "search_query: ", "search_document: "),
        ("Nomic Embed Text v1.5", "search_query: ", "search_document: "),
        ("multilingual-e5-small", "query: ", "passage: "),
        ("bge-small-en-v1.5-q8_0", "Represent this sentence for searching relevant passages: ", ""),
        ("bge-m3-Q4_K_M", "", ""),
        ("embeddinggemma_300M", "task: search result | query: ", "title: none | text: "),
        ("hearth-test-bert", "", ""),
    ],
)
def test_a_family_is_known_by_its_name(name: str, query: str, document: str) -> None:
    assert prefixes_of("model", name) == Prefixes(query, document)


def test_an_instruction_goes_before_questions_alone() -> None:
    found = prefixes_of("Qwen3-Embedding-0.6B-Q8_0")
    assert found.query.endswith("\nQuery:")
    assert found.document == ""
