"""Writing a question: what is sent, what lies beside it, what is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QApplication
from shiboken6 import delete

from hearth_desktop.chat.composer import Composer
from support.qt_waits import Heard

pytestmark = pytest.mark.desktop


@pytest.fixture
def composer(qapp: QApplication) -> Iterator[Composer]:
    made = Composer()
    made.resize(500, 200)
    made.show()
    yield made
    delete(made)


def sent(composer: Composer) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []

    def hear(text: str, files: object, local_only: bool) -> None:
        found.append((text, files, local_only))

    composer.sent.connect(hear)
    return found


def test_nothing_is_sent_when_there_is_nothing(composer: Composer) -> None:
    heard = sent(composer)
    composer.submit()
    composer.text.put("  \n ")
    composer.submit()
    assert not heard
    assert not composer.send.isEnabled()


def test_text_files_and_the_wish_to_stay_local_are_sent(composer: Composer, tmp_path: Path) -> None:
    heard = sent(composer)
    notes = tmp_path / "notes.md"
    notes.write_text("hello")
    composer.add_files([notes])
    composer.local.setChecked(True)
    composer.text.put("  What is this?  ")
    composer.submit()
    assert heard == [("What is this?", ({"name": str(notes), "text": "hello"},), True)]


def test_a_pasted_file_lies_beside_the_question(composer: Composer, tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("hello")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(notes))])
    composer.text.insertFromMimeData(data)
    assert [file["text"] for file in composer.files] == ["hello"]
    assert composer.text.toPlainText() == ""


def test_pasted_text_is_plain(composer: Composer) -> None:
    data = QMimeData()
    data.setHtml("<b>bold</b>")
    data.setText("bold")
    composer.text.insertFromMimeData(data)
    assert composer.text.toPlainText() == "bold"


def test_a_file_that_does_not_fit_is_said(composer: Composer, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\xff")
    composer.add_files([picture])
    assert "not a text file" in composer.hint.text()
    assert composer.hint.isVisible()
    assert not composer.files


def test_too_long_a_question_stays_with_the_way_out(composer: Composer) -> None:
    heard = sent(composer)
    composer.text.put("words " * 40_000)
    composer.submit()
    assert not heard
    assert "Attach it as a file" in composer.hint.text()


def test_a_file_is_removed_by_its_chip(composer: Composer, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text(name)
    composer.add_files([tmp_path / "one.txt", tmp_path / "two.txt"])
    chips = [chip for chip in composer.findChildren(type(composer.send)) if chip.property("kind") == "chip"]
    chips[0].click()
    assert [file["text"] for file in composer.files] == ["two.txt"]


def test_while_an_answer_comes_it_can_be_stopped_and_the_next_be_written(composer: Composer) -> None:
    stopped = Heard(composer.stopped)
    composer.set_busy(True)
    assert composer.stop.isVisible()
    assert not composer.send.isVisible()
    composer.stop.click()
    assert len(stopped.values) == 1
    composer.text.put("next")
    assert composer.send.isVisible()
    composer.set_busy(False)
    assert not composer.stop.isVisible()


def test_it_grows_with_its_text_up_to_a_limit(composer: Composer) -> None:
    one = composer.text.height()
    composer.text.put("a\nb\nc")
    three = composer.text.height()
    composer.text.put("x\n" * 40)
    assert one < three < composer.text.height() < 5 * three
