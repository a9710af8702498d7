"""What the browser may do on which site: off, ask, remember."""

import re
from typing import Final, Literal

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLineEdit, QWidget

from hearth_desktop.net.api import Api
from hearth_desktop.widgets import S2, S3, Choice, button, clear, column, frame, label, row, say
from hearth_shared.display import display
from hearth_shared.errors import HearthError
from hearth_shared.sites import named, site_of
from hearth_shared.wire import Consent, ConsentList

PATH: Final = "/v1/consents"
Level = Literal["off", "ask", "remember"]
LEVELS: Final[dict[Level, str]] = {
    "off": "Off: its pages are neither read nor kept",
    "ask": "Ask: a page is kept only when you say so",
    "remember": "Remember: a page you ask about is kept",
}
_ABOUT: Final = "For a site that is not listed Hearth asks. The browser's side panel offers the same choice."
_NO_SITE: Final = "That is no site. Write its name, such as example.org, or paste a page's address."
_HOST: Final = re.compile(r"[^\s/@\\?#]+")
_NOBODY: Final = "No site is listed: Hearth asks on every one."


class SitesPage(QWidget):
    """One row for each site that was decided about, and a box for another."""

    def __init__(self, api: Api) -> None:
        super().__init__()
        self._api = api
        self._list = column(spacing=S2)
        self._said = label(kind="danger")
        self._site = QLineEdit()
        self._site.setPlaceholderText("example.org")
        self._site.setAccessibleName("Another site")
        self._level = _levels("ask", "What Hearth may do there")
        self._add = button("Add", name="Add this site")
        entry = frame("notice", row(self._site, self._level, self._add, margins=S3))
        self.setLayout(column(label(_ABOUT, "muted"), entry, self._said, self._list, -1, spacing=S3))
        self._site.textChanged.connect(self._on_typed)
        self._site.returnPressed.connect(self._on_add)
        self._add.clicked.connect(self._on_add)
        say(self._said, "")
        self._on_typed()

    @property
    def rows(self) -> list["SiteRow"]:
        """The sites that are listed."""
        return [row for row in self.findChildren(SiteRow) if not row.isHidden()]

    @property
    def fault(self) -> str:
        """Why the last decision does not hold; empty when it does."""
        return self._said.text()

    def load(self) -> None:
        """Ask what was decided."""
        reply = self._api.request("GET", PATH)
        reply.done.connect(self._on_list)
        reply.failed.connect(self._on_failed)

    def put(self, site: str, level: Level) -> None:
        """Decide about a site."""
        reply = self._api.request("PUT", PATH, {"door": "browser", "subject": site, "level": level})
        reply.done.connect(self._on_put)
        reply.failed.connect(self._on_failed)

    @Slot(object)
    def _on_list(self, found: ConsentList) -> None:
        say(self._said, "")
        clear(self._list)
        sites = [consent for consent in found["consents"] if consent["door"] == "browser"]
        for consent in sorted(sites, key=lambda consent: consent["subject"]):
            self._list.addWidget(SiteRow(consent, self))
        if not sites:
            self._list.addWidget(label(_NOBODY, "muted"))

    @Slot()
    def _on_put(self) -> None:
        self._site.clear()
        self.load()

    @Slot()
    def _on_typed(self) -> None:
        self._add.setEnabled(bool(self._site.text().strip()))

    @Slot()
    def _on_add(self) -> None:
        if site := site_in(self._site.text()):
            self.put(site, self._level.currentData())
        else:
            say(self._said, _NO_SITE, "danger")

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        say(self._said, str(error), "danger")


class SiteRow(QWidget):
    """One site and what Hearth may do there."""

    def __init__(self, consent: Consent, page: SitesPage) -> None:
        super().__init__()
        self.site = consent["subject"]
        self._page = page
        shown = display(self.site, keep="")
        self.level = _levels(consent["level"], f"What Hearth may do on {shown}")
        self.setLayout(row(label(shown), self.level, spacing=S3))
        self.level.activated.connect(self._on_chosen)

    @Slot()
    def _on_chosen(self) -> None:
        self._page.put(self.site, self.level.currentData())


def site_in(text: str) -> str:
    """The site that somebody means who types its name or pastes a page's address; empty when that is none."""
    text = text.strip()
    site = site_of(text) if "://" in text else named(text.partition("/")[0])
    return site if _HOST.fullmatch(site) else ""


def _levels(level: str, name: str) -> Choice:
    made = Choice()
    for value, text in LEVELS.items():
        made.addItem(text, value)
    made.setCurrentIndex(made.findData(level))
    made.setAccessibleName(name)
    return made
