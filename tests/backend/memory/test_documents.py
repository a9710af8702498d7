import hashlib
from pathlib import Path

import pytest

from hearth_backend.memory import documents
from hearth_shared.protocol.memory import NewEpisode

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models.md").write_text("# Models\n\n## Connect Ollama?\n\nStart it.\n\n## Again\n\nText.\n", "utf-8")
    (tmp_path / "notes.txt").write_text("not a page", "utf-8")
    return tmp_path


def stored(pages: list[NewEpisode]) -> dict[str, tuple[str, bytes]]:
    return {
        page.external_id: (f"id of {page.external_id}", hashlib.sha256(page.text.encode()).digest()) for page in pages
    }


def test_a_passage_carries_page_anchor_and_headings(folder: Path) -> None:
    first = documents.read(folder)[0]
    assert (first.source, first.external_id) == ("models.md", "models.md#connect-ollama")
    assert first.text == "Models › Connect Ollama?\nStart it."


def test_only_pages_are_read(folder: Path) -> None:
    assert {page.source for page in documents.read(folder)} == {"models.md"}


def test_a_page_that_did_not_change_is_left_alone(folder: Path) -> None:
    pages = documents.read(folder)
    assert documents.changes(pages, stored(pages)) == ([], [])


def test_a_changed_passage_replaces_the_old_one(folder: Path) -> None:
    before = stored(documents.read(folder))
    (folder / "models.md").write_text("# Models\n\n## Connect Ollama?\n\nStart it now.\n", "utf-8")
    gone, new = documents.changes(documents.read(folder), before)
    assert gone == ["id of models.md#connect-ollama", "id of models.md#again"]
    assert [page.text for page in new] == ["Models › Connect Ollama?\nStart it now."]


def test_passages_under_one_heading_have_keys_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "long.md").write_text("# Long\n\n" + "\n\n".join("word " * 120 for _ in range(3)), "utf-8")
    assert [page.external_id for page in documents.read(tmp_path)] == [
        "long.md#long",
        "long.md#long~2",
        "long.md#long~3",
    ]


def test_the_shipped_pages_are_short_passages_with_questions_as_headings() -> None:
    pages = documents.read(documents.shipped())
    assert len({page.external_id for page in pages}) == len(pages) > 30
    assert all(len(page.text) < 1200 for page in pages)
    assert {"hearth.md", "models.md", "editors.md", "privacy.md"} <= {page.source for page in pages}
