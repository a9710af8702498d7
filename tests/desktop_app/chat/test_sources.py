"""The panel of sources: every one with its words, where it came from, and what can be done with it."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from shiboken6 import delete

from hearth_desktop.chat.sources import SourceCard, SourcesPanel
from hearth_desktop.chat.turn import Turn
from hearth_shared.wire import Source
from support.qt_waits import Heard
from support.wire_values import source

pytestmark = pytest.mark.desktop


@pytest.fixture
def panel(qapp: QApplication) -> Iterator[SourcesPanel]:
    made = SourcesPanel()
    made.show()
    yield made
    delete(made)


def turn(*sources: Source, forgotten: frozenset[str] = frozenset()) -> Turn:
    return Turn(key="one", question="How?", asked_at=0.0, sources=sources, forgotten=forgotten)


def card(panel: SourcesPanel, number: int) -> SourceCard:
    found = panel.card(number)
    assert found is not None
    return found


def words(card: SourceCard) -> str:
    return "\n".join(label.text() for label in card.findChildren(QLabel))


def test_every_source_has_its_words_and_its_place(panel: SourcesPanel) -> None:
    page = source(2, url="https://example.org/a", title="Harbour", trusted=False, quote="40 euros")
    panel.show_turn(turn(source(1), page))
    assert "The mooring fee is 40 euros a night." in words(card(panel, 1))
    shown = words(card(panel, 2))
    assert "https://example.org/a" in shown
    assert "From a page you opened" in shown
    assert card(panel, 1).open_button.text() == "Open thread"
    assert card(panel, 2).open_button.text() == "Open page"


def test_a_source_is_opened_and_a_memory_forgotten(panel: SourcesPanel) -> None:
    wanted, gone = Heard(panel.open_wanted), Heard(panel.forget_wanted)
    panel.show_turn(turn(source(1)))
    card(panel, 1).open_button.click()
    assert wanted.last["id"] == "epi_1"
    card(panel, 1).forget_button.click()
    assert gone.values == ["epi_1"]


def test_what_cannot_be_given_back_is_asked_twice(panel: SourcesPanel) -> None:
    gone = Heard(panel.forget_wanted)
    panel.show_turn(turn(source(1, trusted=False, url="https://example.org/a")))
    button = card(panel, 1).forget_button
    button.click()
    assert not gone.values
    assert button.text() == "Yes, forget"
    button.click()
    assert gone.values == ["epi_1"]


def test_a_forgotten_memory_shows_its_words_no_more(panel: SourcesPanel) -> None:
    panel.show_turn(turn(source(1)))
    panel.show_turn(turn(source(1), forgotten=frozenset({"epi_1"})))
    assert "mooring" not in words(card(panel, 1))
    assert "Forgotten." in words(card(panel, 1))
    assert not card(panel, 1).forget_button.isVisible()


def test_only_memories_can_be_forgotten(panel: SourcesPanel) -> None:
    panel.show_turn(turn(source(1, kind="docs", location="help/hearth.md")))
    assert not card(panel, 1).forget_button.isVisible()
    assert not card(panel, 1).open_button.isVisible()


def test_markup_in_a_source_is_only_text(panel: SourcesPanel) -> None:
    panel.show_turn(turn(source(1, quote="<b>bold</b> <img src='https://example.org/x.png'> \u202eevil")))
    shown = words(card(panel, 1))
    assert "<b>bold</b>" in shown
    assert "\u202e" not in shown


def test_an_answer_without_sources_says_so(panel: SourcesPanel) -> None:
    panel.show_turn(turn())
    assert any("names no source" in label.text() for label in panel.findChildren(QLabel))
