"""Sites on a real backend: what is decided here holds for the browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from hearth_desktop.net.api import Api
from hearth_desktop.net.locator import Locator
from hearth_desktop.settings.sites import PATH, SitesPage, site_in
from support.backend import Backend, running
from support.qt_waits import wait

pytestmark = pytest.mark.desktop


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    with running(tmp_path / "home") as one:
        yield one


def shown(qtbot: QtBot, backend: Backend, parent: QObject) -> SitesPage:
    page = SitesPage(Api(Locator(backend.home, parent), parent))
    qtbot.addWidget(page)
    page.load()
    page.show()
    return page


def said(page: SitesPage) -> str:
    return "\n".join(one.text() for one in page.findChildren(QLabel) if one.isVisible())


def levels(backend: Backend) -> dict[str, str]:
    return {one["subject"]: one["level"] for one in backend.door("tray").get(PATH).json()["consents"]}


def test_a_site_is_added_changed_and_kept(qtbot: QtBot, backend: Backend) -> None:
    parent = QObject()
    page = shown(qtbot, backend, parent)
    wait(qtbot, lambda: "No site is listed" in said(page))
    box = page.findChildren(QLineEdit)[0]
    QTest.keyClicks(box, "example.org")
    QTest.keyClick(box, Qt.Key.Key_Return)
    wait(qtbot, lambda: [row.site for row in page.rows] == ["example.org"])
    assert levels(backend) == {"example.org": "ask"}
    row = page.rows[0]
    row.level.setCurrentIndex(row.level.findData("off"))
    row.level.activated.emit(row.level.currentIndex())
    wait(qtbot, lambda: levels(backend) == {"example.org": "off"})


def test_what_is_no_site_is_refused_with_a_reason(qtbot: QtBot, backend: Backend) -> None:
    parent = QObject()
    page = shown(qtbot, backend, parent)
    wait(qtbot, lambda: "No site is listed" in said(page))
    box = page.findChildren(QLineEdit)[0]
    QTest.keyClicks(box, "no site at all")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert "That is no site." in page.fault
    assert not levels(backend)


@pytest.mark.parametrize(
    ("text", "site"),
    [
        (" Example.org ", "example.org"),
        ("https://user@www.example.org:8080/a?b#c", "www.example.org"),
        ("example.org/page", "example.org"),
        ("http://[::1]/", "::1"),
        ("javascript://alert(1)", ""),
        ("two words", ""),
        ("", ""),
        ("@", ""),
        ("http://[", ""),
    ],
)
def test_a_name_or_an_address_becomes_a_site(text: str, site: str) -> None:
    assert site_in(text) == site
