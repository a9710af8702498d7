import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.memory.files import rank_passages, whole
from hearth_backend.memory.ports import Vectors
from hearth_shared.protocol.tasks import FileText
from support.embedders import WordEmbedder

pytestmark = pytest.mark.unit
NOTES = FileText(
    name="notes.md",
    text="# Build\n\nThe cache key.\n\n# People\n\nAna works at the harbour.\n\n# Tea\n\nBo drinks it.",
)


async def no_model(texts: list[str]) -> Vectors | None:
    return None


async def test_the_passage_with_the_words_comes_first() -> None:
    found = await rank_passages("Where does Ana work?", [NOTES], 2, no_model)
    assert (found[0].quote, found[0].location) == ("Ana works at the harbour.", "notes.md:7")
    assert [source.n for source in found] == [1, 2]


async def test_a_passage_says_which_file_and_heading_it_is_from() -> None:
    found = await rank_passages("harbour", [FileText(name="other", text="nothing"), NOTES], 1, no_model)
    assert (found[0].kind, found[0].title) == ("file", "notes.md › People")


async def test_the_words_of_a_heading_count() -> None:
    assert (await rank_passages("people", [NOTES], 1, no_model))[0].quote == "Ana works at the harbour."


async def test_meaning_finds_what_words_do_not() -> None:
    async def embed(texts: list[str]) -> Vectors:
        return np.array([[1, 0] if "beverage" in text or "drinks" in text else [0, 1] for text in texts], np.float32)

    assert (await rank_passages("beverage", [NOTES], 1, embed))[0].quote == "Bo drinks it."


async def test_a_question_that_fits_nothing_still_shows_where_the_file_begins() -> None:
    found = await rank_passages("summarise this", [NOTES], 1, no_model)
    assert (found[0].location, found[0].score) == ("notes.md:3", 0.0)


async def test_no_files_give_no_passages() -> None:
    assert await rank_passages("anything", [], 5, no_model) == []
    assert await rank_passages("anything", [FileText(name="empty", text="")], 5, no_model) == []


async def test_a_whole_book_is_not_embedded() -> None:
    embedder = WordEmbedder()
    book = FileText(name="book", text="\n\n".join(f"Chapter {number} tells of whales. " * 20 for number in range(200)))
    assert len(await rank_passages("whales", [book], 6, embedder.embed)) == 6
    assert len(embedder.asked) < 50


@given(st.text(), st.lists(st.text(max_size=300), max_size=3))
async def test_no_question_and_no_file_can_break_it(question: str, texts: list[str]) -> None:
    files = [FileText(name="f", text=text) for text in texts]
    assert len(await rank_passages(question, files, 3, no_model)) <= 3


async def test_a_page_is_cited_by_its_address_and_not_trusted() -> None:
    page = FileText(name="https://vell.example/m", text="A mooring costs 40 euros.", origin="page", title="Moorings")
    (found,) = await rank_passages("What does a mooring cost?", [page], 3, no_model)
    assert (found.kind, found.title, found.location, found.url, found.trusted) == (
        *("page", "Moorings", page.name, page.name),
        False,
    )


@pytest.mark.parametrize(
    ("file", "kind", "title", "url"),
    [
        (FileText(name="a.txt", text="x"), "file", "a.txt", ""),
        (FileText(name="https://vell.example/m", text="x"), "page", "vell.example", "https://vell.example/m"),
        (FileText(name="selection", text="x", origin="selection"), "page", "selection", ""),
        (FileText(name="javascript:alert(1)", text="x", origin="page"), "page", "javascript:alert(1)", ""),
    ],
)
def test_what_is_a_page_and_what_can_be_opened(file: FileText, kind: str, title: str, url: str) -> None:
    source = whole(file)
    assert (source.kind, source.title, source.url, source.trusted) == (kind, title, url, kind == "file")
