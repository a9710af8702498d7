"""What was begun and not sent is kept for each thread."""

import stat
from pathlib import Path

import pytest

from hearth_desktop.chat.drafts import NEW, Drafts

pytestmark = pytest.mark.unit


def test_a_draft_survives_the_program(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path / "run" / "drafts.json")
    drafts.put("thr_1", "half a quest")
    drafts.put(NEW, "new one")
    drafts.store()
    again = Drafts(tmp_path / "run" / "drafts.json")
    assert (again.get("thr_1"), again.get(NEW), again.get("thr_2")) == ("half a quest", "new one", "")


def test_it_is_private(tmp_path: Path) -> None:
    path = tmp_path / "drafts.json"
    drafts = Drafts(path)
    drafts.put("thr_1", "secret")
    drafts.store()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_text_is_no_draft(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path / "drafts.json")
    drafts.put("thr_1", "x")
    drafts.put("thr_1", "  \n")
    drafts.store()
    assert Drafts(tmp_path / "drafts.json").get("thr_1") == ""


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path / "drafts.json")
    for number in range(101):
        drafts.put(f"thr_{number}", "x")
    assert drafts.get("thr_0") == ""
    assert drafts.get("thr_100") == "x"


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"thr_1": 5}', b"\xff"])
def test_a_file_that_cannot_be_read_counts_for_nothing(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "drafts.json"
    path.write_bytes(content)
    assert Drafts(path).get("thr_1") == ""


def test_a_disk_that_refuses_costs_no_session(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    drafts = Drafts(tmp_path / "file" / "drafts.json")
    drafts.put("thr_1", "x")
    drafts.store()
    assert drafts.get("thr_1") == "x"
