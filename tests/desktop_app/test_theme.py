"""Every scheme is readable and dresses every widget; the system's wish is followed until the person has one."""

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication
from shiboken6 import delete

from hearth_desktop.theme import Look, qt_palette, stylesheet
from hearth_shared.theme import PALETTES, Scheme, State, contrast
from support.qt_waits import Heard

pytestmark = pytest.mark.desktop


@pytest.fixture
def look(qapp: QApplication) -> Iterator[Look]:
    made = Look(qapp)
    yield made
    qapp.setStyleSheet("")
    delete(made)


@pytest.mark.parametrize("scheme", Scheme)
def test_the_text_of_every_scheme_can_be_read(scheme: Scheme) -> None:
    palette = qt_palette(PALETTES[scheme])
    pairs = (
        (QPalette.ColorRole.WindowText, QPalette.ColorRole.Window),
        (QPalette.ColorRole.Text, QPalette.ColorRole.Base),
        (QPalette.ColorRole.PlaceholderText, QPalette.ColorRole.Base),
        (QPalette.ColorRole.ButtonText, QPalette.ColorRole.Button),
        (QPalette.ColorRole.HighlightedText, QPalette.ColorRole.Highlight),
        (QPalette.ColorRole.ToolTipText, QPalette.ColorRole.ToolTipBase),
        (QPalette.ColorRole.Link, QPalette.ColorRole.Base),
    )
    for text, ground in pairs:
        assert contrast(palette.color(text).name(), palette.color(ground).name()) >= 4.5


@pytest.mark.parametrize("strong", [False, True])
@pytest.mark.parametrize("scheme", Scheme)
def test_every_token_of_the_stylesheet_has_a_value(scheme: Scheme, strong: bool) -> None:
    sheet = stylesheet(PALETTES[scheme], high_contrast=strong)
    assert "@" not in sheet
    assert sheet.count("{") == sheet.count("}")


def test_a_chosen_scheme_holds_and_the_systems_comes_back(look: Look, qapp: QApplication) -> None:
    system = look.scheme
    changed = Heard(look.changed)
    look.choose(Scheme.DARK_CONTRAST)
    assert look.is_dark
    assert look.is_high_contrast
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == "#000000"
    look.choose(None)
    assert look.scheme == system
    assert len(changed.values) == 2


def test_choosing_what_holds_changes_nothing(look: Look) -> None:
    changed = Heard(look.changed)
    look.choose(look.scheme)
    assert not changed.values


def test_each_state_has_its_colour(look: Look) -> None:
    look.choose(Scheme.LIGHT)
    assert look.state_colour(State.THINKING) == look.colour("accent")
    assert look.state_colour(State.FAULT) == look.colour("danger")


def test_nothing_moves_longer_than_may_be(look: Look) -> None:
    assert 0 <= look.motion_ms <= 120
