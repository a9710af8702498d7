import itertools
import xml.etree.ElementTree as ET

import pytest
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QColor, QImage, QPainter, qAlpha
from PySide6.QtSvg import QSvgRenderer
from pytestqt.qtbot import QtBot

from hearth_desktop.tray import icon
from hearth_shared.theme import PALETTES, Scheme, State, colour_of, contrast

pytestmark = pytest.mark.desktop


def image(state: State, scheme: Scheme = Scheme.LIGHT, size: int = 16) -> QImage:
    return icon.pixmap(state, scheme, size).toImage()


def one_colour(state: State) -> QImage:
    """Its shape alone, as a panel draws it that has one colour."""
    made = QImage(16, 16, QImage.Format.Format_ARGB32)
    made.fill(QColor("white"))
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    shape = icon.arch().united(icon.ember(state))
    painter.fillPath(shape.united(icon.badge()) if state is State.NEEDS_YOU else shape, QColor("black"))
    painter.end()
    return made


def on_a_panel() -> QImage:
    made = QImage(64, 64, QImage.Format.Format_ARGB32)
    made.fill(QColor("#808080"))
    return made


def difference(one: QImage, other: QImage) -> int:
    """How many points of the two differ so much that an eye sees it."""
    points = itertools.product(range(one.width()), range(one.height()))
    return sum(abs(one.pixelColor(x, y).lightness() - other.pixelColor(x, y).lightness()) > 96 for x, y in points)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(State, 2)))
def test_two_states_differ_in_shape_at_16_pixels_in_one_colour(qtbot: QtBot, one: State, other: State) -> None:
    assert difference(one_colour(one), one_colour(other)) >= 6


@pytest.mark.parametrize("scheme", list(Scheme))
@pytest.mark.parametrize("state", list(State))
def test_the_ember_has_the_states_colour(qtbot: QtBot, state: State, scheme: Scheme) -> None:
    made = image(state, scheme, 64)
    wanted = QColor(colour_of(state, scheme))
    points = itertools.product(range(64), range(64))
    assert sum(made.pixelColor(x, y) == wanted for x, y in points) > 40


@pytest.mark.parametrize("scheme", list(Scheme))
def test_the_arch_can_be_read_on_any_panel(scheme: Scheme) -> None:
    palette = PALETTES[scheme]
    assert contrast(palette.text, palette.background) > 10  # the halo around it


def test_the_badge_is_for_what_needs_the_person_alone(qtbot: QtBot) -> None:
    for state in State:
        corner = image(state).pixel(13, 2)
        assert (qAlpha(corner) == 255) is (state is State.NEEDS_YOU)


def test_it_comes_in_the_sizes_that_panels_ask_for(qtbot: QtBot) -> None:
    made = icon.icon(State.IDLE, Scheme.DARK)
    assert {size.width() for size in made.availableSizes()} == set(icon.SIZES)


@pytest.mark.parametrize("scheme", list(Scheme))
def test_the_file_is_the_same_drawing(qtbot: QtBot, scheme: Scheme) -> None:
    text = icon.svg(scheme)
    assert ET.fromstring(text).tag.endswith("svg")
    file, drawing = on_a_panel(), on_a_panel()
    painter = QPainter(file)
    QSvgRenderer(QByteArray(text.encode())).render(painter)
    painter.end()
    painter.begin(drawing)
    painter.drawPixmap(0, 0, icon.pixmap(State.THINKING, scheme, 64))
    painter.end()
    assert difference(file, drawing) < 10
    assert difference(file, on_a_panel()) > 500
