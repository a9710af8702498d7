import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot

from hearth_desktop import theme
from hearth_desktop.marks import Check, Radio
from hearth_shared.theme import Scheme

pytestmark = pytest.mark.desktop


def shown(qtbot: QtBot, button: QAbstractButton) -> QAbstractButton:
    qtbot.addWidget(button)
    button.resize(button.sizeHint())
    button.show()
    return button


@pytest.mark.parametrize("kind", [Check, Radio])
def test_mouse_and_keyboard_set_it(qtbot: QtBot, kind: type[Check] | type[Radio]) -> None:
    button = shown(qtbot, kind("Local only"))
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=button.rect().center())
    assert button.isChecked()
    other = shown(qtbot, kind("Local only"))
    QTest.keyClick(other, Qt.Key.Key_Space)
    assert other.isChecked()


@pytest.mark.parametrize("scheme", list(Scheme))
@pytest.mark.parametrize("kind", [Check, Radio])
def test_whether_it_is_set_shows_in_every_scheme(
    qtbot: QtBot, qapp: QApplication, kind: type[Check] | type[Radio], scheme: Scheme
) -> None:
    look = theme.apply(qapp, scheme)
    button = shown(qtbot, kind("Local only"))
    unset = button.grab().toImage()
    button.setChecked(True)
    assert button.grab().toImage() != unset
    button.setFocus()
    look.choose(Scheme.LIGHT)


@pytest.mark.parametrize("kind", [Check, Radio])
def test_it_has_room_for_its_words(qtbot: QtBot, kind: type[Check] | type[Radio]) -> None:
    button = shown(qtbot, kind("&Show among the applications"))
    assert button.width() >= button.fontMetrics().horizontalAdvance("Show among the applications") + 18
