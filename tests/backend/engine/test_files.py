"""Which model files are found, and which is taken."""

import os
from pathlib import Path

import pytest

from hearth_backend.engine.files import BrokenFile, ModelFiles
from hearth_shared.errors import BadModelFile, NoModel, NotFound
from support.gguf_files import bert, generated, patched

pytestmark = pytest.mark.integration


def put(folder: Path, name: str, content: bytes, age: int = 0) -> Path:
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (1_000_000 - age, 1_000_000 - age))
    return path


@pytest.fixture
def content(tiny_gguf: Path) -> bytes:
    return tiny_gguf.read_bytes()


def test_the_newest_comes_first_and_the_chosen_before_it(tmp_path: Path, content: bytes) -> None:
    for age, name in enumerate(["new", "old", "older"]):
        put(tmp_path, f"{name}.gguf", content, age)
    assert [file.id for file in ModelFiles(tmp_path).readable()] == ["new", "old", "older"]
    assert [file.id for file in ModelFiles(tmp_path, "old.gguf").readable()] == ["old", "new", "older"]
    assert ModelFiles(tmp_path, "old.gguf").find("").id == "old"
    assert ModelFiles(tmp_path).find("auto").id == "new"


def test_a_model_is_found_by_id_file_name_and_path(tmp_path: Path, content: bytes) -> None:
    path = put(tmp_path, "some.gguf", content)
    files = ModelFiles(tmp_path)
    assert files.find("some") == files.find("some.gguf") == files.find(str(path))


def test_a_file_outside_the_folder_is_taken_by_its_whole_path(tmp_path: Path, content: bytes) -> None:
    path = put(tmp_path, "some.gguf", content)
    assert ModelFiles(tmp_path / "elsewhere").find(str(path)).path == path


@pytest.mark.parametrize("name", ["nothing", "../some", "some.gguf/", "some.txt"])
def test_what_is_not_there_is_not_found(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / "models").mkdir()
    put(tmp_path, "some.gguf", content)
    with pytest.raises(NotFound):
        ModelFiles(tmp_path / "models").find(name)


def test_a_folder_without_models_says_where_to_put_one(tmp_path: Path) -> None:
    with pytest.raises(NoModel) as error:
        ModelFiles(tmp_path / "nowhere").find("")
    assert "engine.model_file" in error.value.fix


def test_a_chosen_file_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadModelFile, match=r"gone\.gguf"):
        ModelFiles(tmp_path, "gone.gguf").find("")


def test_an_unreadable_file_is_left_out_but_says_why_when_asked_for(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, "bad.gguf", content[:5000])
    put(tmp_path, "good.gguf", content)
    files = ModelFiles(tmp_path)
    assert [file.id for file in files.readable()] == ["good"]
    with pytest.raises(BadModelFile, match=r"bad\.gguf"):
        files.find("bad")


def test_a_file_that_changed_is_read_again(tmp_path: Path, content: bytes) -> None:
    files = ModelFiles(tmp_path)
    put(tmp_path, "some.gguf", content[:5000])
    assert files.readable() == []
    put(tmp_path, "some.gguf", content)
    assert [file.facts.layers for file in files.readable()] == [4]
    put(tmp_path, "some.gguf", patched(content, "llama.block_count", 3), age=1)
    assert [file.facts.layers for file in files.readable()] == [3]


def test_an_embedding_model_is_not_the_default(tmp_path: Path) -> None:
    put(tmp_path, "bert.gguf", generated("hearth-test-bert", bert).read_bytes())
    with pytest.raises(NoModel):
        ModelFiles(tmp_path).find("")


def test_a_file_elsewhere_is_known_and_never_the_default(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    other = put(tmp_path, "other.gguf", content)
    files = ModelFiles(folder, others=(str(other), "", str(tmp_path / "gone.gguf")))
    assert [file.id for file in files.readable()] == ["other"]
    put(folder, "inside.gguf", content, age=9)
    assert files.find("").id == "inside"


def test_of_a_file_in_parts_the_first_is_listed_under_the_name_of_the_whole(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, "big-00001-of-00002.gguf", content)
    put(tmp_path, "big-00002-of-00002.gguf", content)
    assert [file.id for file in ModelFiles(tmp_path).readable()] == ["big"]


def test_every_file_is_listed_and_a_broken_one_says_why(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, "good.gguf", content, age=1)
    put(tmp_path, "cut.gguf", content[:-100])
    cut, good = ModelFiles(tmp_path).all()
    assert isinstance(cut, BrokenFile)
    assert (cut.id, cut.size) == ("cut", len(content) - 100)
    assert "truncated" in cut.error.detail
    assert good.id == "good"


def test_a_chosen_file_that_is_missing_is_listed_as_such(tmp_path: Path) -> None:
    (gone,) = ModelFiles(tmp_path, "gone.gguf").all()
    assert isinstance(gone, BrokenFile)
    assert (gone.id, gone.size) == ("gone", 0)
