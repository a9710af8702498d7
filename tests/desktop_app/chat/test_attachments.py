"""Files beside a question: read as text, within what a message may hold."""

from pathlib import Path

import pytest

from hearth_desktop.chat.attachments import LONGEST_TEXT, added
from hearth_shared.errors import BadRequest, TooLarge

pytestmark = pytest.mark.unit


def test_a_file_is_its_path_and_text(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("Grüße\r\n", "utf-8", newline="")
    assert added([], [path]) == [{"name": str(path), "text": "Grüße\r\n"}]


def test_the_same_file_twice_is_there_once_as_it_is_now(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("old")
    held = added([], [path])
    path.write_text("new")
    assert [file["text"] for file in added(held, [path])] == ["new"]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00binary", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_text_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(BadRequest, match="not a text file"):
        added([], [path])


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.txt"):
        with pytest.raises(BadRequest, match="cannot be read"):
            added([], [path])


def test_what_is_too_long_is_refused_with_a_way_out(tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("x" * (LONGEST_TEXT + 1))
    with pytest.raises(TooLarge) as refused:
        added([], [long])
    assert refused.value.fix


def test_many_files_are_refused_together(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.txt" for number in range(65)]
    for path in paths:
        path.write_text("x")
    with pytest.raises(TooLarge, match="64 fit"):
        added([], paths)
    for path in paths[:6]:
        path.write_text("x" * 190_000)
    with pytest.raises(TooLarge, match="together"):
        added([], paths[:6])
