from pathlib import Path

import pytest

from hearth_backend.memory.index_folder import IndexFolder, collection_name

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> IndexFolder:
    folder = IndexFolder(tmp_path / "index")
    folder.make()
    for model in ("one", "two"):
        folder.of(model).mkdir()
        (folder.of(model) / "vectors").write_bytes(b"1234")
    return folder


def test_a_collection_is_named_after_its_model() -> None:
    assert collection_name("all-minilm-l6-v2.fp32") == "mem__all-minilm-l6-v2.fp32"


def test_models_that_look_alike_do_not_share_a_collection() -> None:
    strange = ["a/b", "a:b", "a b", "a-b", "é", "ü", "", "x" * 500, "x" * 501]
    names = [collection_name(model) for model in strange]
    assert len(set(names)) == len(strange)
    for name in names:
        assert 3 <= len(name) <= 512
        assert name.isascii()
        assert name[-1].isalnum()


def test_the_folder_is_its_owners_alone(folder: IndexFolder) -> None:
    assert folder.of("one").parent.stat().st_mode & 0o77 == 0


def test_a_seal_holds_while_the_files_are_as_they_were(folder: IndexFolder) -> None:
    assert folder.look_at_seal("one") == "none"
    folder.seal("one")
    assert folder.look_at_seal("one") == "kept"
    (folder.of("one") / "vectors").write_bytes(b"1243")
    assert folder.look_at_seal("one") == "broken"
    folder.unseal("one")
    assert folder.look_at_seal("one") == "none"


def test_a_file_more_or_less_breaks_the_seal(folder: IndexFolder) -> None:
    folder.seal("one")
    (folder.of("one") / "more").touch()
    assert folder.look_at_seal("one") == "broken"
    folder.seal("two")
    (folder.of("two") / "vectors").unlink()
    assert folder.look_at_seal("two") == "broken"


def test_a_seal_that_cannot_be_read_is_none(folder: IndexFolder) -> None:
    folder.seal("one")
    next(folder.of("one").parent.glob("*.seal")).write_text("{", "utf-8")
    assert folder.look_at_seal("one") == "none"


def test_collections_of_other_models_go_with_their_seals(folder: IndexFolder) -> None:
    for model in ("one", "two"):
        folder.seal(model)
    folder.discard_others("one")
    assert sorted(path.name for path in folder.of("one").parent.iterdir()) == ["mem__one", "mem__one.seal"]


def test_only_the_last_damaged_collection_is_kept_and_only_for_a_while(folder: IndexFolder) -> None:
    folder.set_aside("one")
    folder.set_aside("two")
    assert [path.name for path in folder.of("one").parent.iterdir()] == ["damaged"]
    folder.forget_damaged()
    assert not list(folder.of("one").parent.iterdir())
