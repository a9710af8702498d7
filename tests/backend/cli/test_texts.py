import io
from pathlib import Path

import pytest

from hearth_backend.cli.terminal import Terminal
from hearth_backend.cli.texts import files, words
from hearth_shared.errors import BadRequest

pytestmark = pytest.mark.unit


def terminal(stdin: str = "") -> Terminal:
    return Terminal(io.StringIO(stdin), io.StringIO(), io.StringIO(), {})


def test_words_are_one_text_and_a_dash_reads_standard_input() -> None:
    assert words(terminal(), ["what", "is", "it?"]) == "what is it?"
    assert words(terminal("from\na pipe\n"), ["-"]) == "from\na pipe"


def test_nothing_to_send_is_said() -> None:
    with pytest.raises(BadRequest, match="nothing to send"):
        words(terminal(" \n"), ["-"])


def test_files_keep_their_names(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("é")
    assert files([str(path)]) == [{"name": str(path), "text": "é"}]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\xfe\x00", "not a text file"), (b"x" * 200_001, "200,000 fit"), (None, "No such file")],
)
def test_a_file_that_cannot_be_sent_says_why(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadRequest, match=reason):
        files([str(path)])
