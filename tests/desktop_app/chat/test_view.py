"""Reading: what is copied, what is followed, and what the wheel does."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QTextCursor, QWheelEvent
from PySide6.QtWidgets import QApplication
from shiboken6 import delete

from hearth_desktop.chat.markdown.slot import Slot
from hearth_desktop.chat.markdown.streaming import StreamingMarkdown
from hearth_desktop.chat.view import AnswerView
from hearth_desktop.theme import Look
from support.documents import WIDTH, formats

pytestmark = pytest.mark.desktop


@pytest.fixture
def view(qapp: QApplication) -> Iterator[AnswerView]:
    look = Look(qapp)
    made = AnswerView(look)
    made.resize(600, 300)
    made.show()
    yield made
    delete(made)
    delete(look)


def write(view: AnswerView, text: str) -> StreamingMarkdown:
    made = formats()
    slot = Slot.behind(view.document(), made)
    markdown = StreamingMarkdown(slot, WIDTH, "hearth:source/one")
    markdown.feed(text)
    markdown.render(final=True)
    aside = Slot.behind(view.document(), made)
    aside.block(made.aside())
    aside.text("This machine", made.plain)
    QApplication.processEvents()
    return markdown


def copied(view: AnswerView) -> str:
    view.selectAll()
    return view.createMimeDataFromSelection().text()


def test_a_copy_holds_the_answer_and_nothing_of_hearths_own(view: AnswerView) -> None:
    write(view, "Forty euros [2].\n\n```python\nx = 1\ny = 2\n```\n\nEnd.")
    text = copied(view)
    assert "Forty euros [2]." in text
    assert "x = 1\ny = 2" in text
    assert "Copy" not in text
    assert "This machine" not in text


def test_the_code_of_a_block_is_found_by_its_link(view: AnswerView) -> None:
    write(view, "```python\nfirst = 1\n```\n\n```python\ndef f():\n    return 2\n```\n")
    groups = sorted(
        {int(href.rpartition("/")[2]) for href in links(view) if href.startswith("hearth:copy/")},
    )
    assert [view.code_of(group) for group in groups] == ["first = 1", "def f():\n    return 2"]


def links(view: AnswerView) -> list[str]:
    cursor = QTextCursor(view.document())
    found: list[str] = []
    while cursor.movePosition(QTextCursor.MoveOperation.NextCharacter):
        if href := cursor.charFormat().anchorHref():
            found.append(href)
    return found


def at_end(view: AnswerView) -> bool:
    return view.verticalScrollBar().value() == view.verticalScrollBar().maximum()


def wheel(view: AnswerView, steps: int) -> None:
    place, down = QPointF(50, 50), QPoint(0, 120 * steps)
    none, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(place, place, QPoint(), down, none, Qt.KeyboardModifier.NoModifier, phase, False)
    QApplication.sendEvent(view.viewport(), event)


def test_the_end_is_followed_until_the_person_scrolls_up(view: AnswerView) -> None:
    write(view, "line\n\n" * 60)
    assert at_end(view)
    wheel(view, 1)
    assert not view.follow.is_on
    assert view.jump.isVisible()
    before = view.verticalScrollBar().value()
    write(view, "more\n\n" * 20)
    assert view.verticalScrollBar().value() == before
    view.jump.click()
    assert at_end(view)
    assert not view.jump.isVisible()
    write(view, "and more\n\n" * 20)
    assert at_end(view)


def test_coming_back_to_the_end_follows_again(view: AnswerView) -> None:
    write(view, "line\n\n" * 60)
    wheel(view, 2)
    assert not view.follow.is_on
    wheel(view, -20)
    assert view.follow.is_on


def test_a_selection_stops_following(view: AnswerView) -> None:
    write(view, "line\n\n" * 60)
    view.selectAll()
    assert not view.follow.is_on


def test_nothing_is_loaded_for_a_picture(view: AnswerView) -> None:
    write(view, "![secret](https://example.org/track.png)")
    assert "[picture: secret]" in view.toPlainText()
    assert links(view)[0] == "https://example.org/track.png"


def test_every_scheme_paints(view: AnswerView, qapp: QApplication) -> None:
    write(view, "> quote\n\n- item `code`\n\n---\n\n```\ncode\n```\n\n| a |\n|---|\n| 1 |\n")
    assert not view.grab().isNull()
