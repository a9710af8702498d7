"""The page tells what was seen, escapes it, and never calls a proof whole that is not."""

from pathlib import Path

import pytest

from proof.chapter import Chapter, Proof
from proof.page import rendered, write

pytestmark = pytest.mark.unit


def chapter(*checks: tuple[str, bool], fault: str = "") -> Chapter:
    return Chapter("door", "A door", lines=["<script>alert(1)</script>"], checks=list(checks), fault=fault)


def proof(*chapters: Chapter) -> Proof:
    return Proof(chapters, {"Python": "3"}, {"time": "1 s"}, ["Windows & macOS"])


def test_a_proof_holds_when_every_check_of_every_chapter_does() -> None:
    assert proof(chapter(("one", True), ("two", True))).holds


@pytest.mark.parametrize(
    "broken", [chapter(("one", True), ("two", False)), chapter(), chapter(("one", True), fault="x")]
)
def test_a_check_that_fails_a_chapter_without_any_and_one_that_broke_off_do_not_hold(broken: Chapter) -> None:
    whole = proof(chapter(("one", True)), broken)
    assert not whole.holds
    assert "Not every door held." in rendered(whole)


def test_what_was_said_is_shown_as_text() -> None:
    said = rendered(proof(chapter(("one", True))))
    assert "<script>" not in said
    assert "&lt;script&gt;" in said
    assert "Windows &amp; macOS" in said


def test_pictures_lie_beside_the_page(tmp_path: Path) -> None:
    one = chapter(("one", True))
    one.show("light", "A window.", b"png")
    page = write(proof(one), tmp_path / "proof")
    assert (page.parent / "door-light.png").read_bytes() == b"png"
    assert 'src="door-light.png"' in page.read_text("utf-8")
