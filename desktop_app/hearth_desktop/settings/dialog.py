"""The settings: a list of sections, the rows of the chosen one, a search over all of them."""

from typing import Final

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QListWidget, QScrollArea, QWidget

from hearth_desktop.net.api import Api
from hearth_desktop.preferences import Preferences
from hearth_desktop.rows import Rows
from hearth_desktop.settings import schema
from hearth_desktop.settings.fields import OptionRow
from hearth_desktop.settings.keys import KeysPage
from hearth_desktop.settings.model import SettingsModel
from hearth_desktop.settings.own import OwnPage
from hearth_desktop.settings.schema import Section
from hearth_desktop.settings.servers import AddServer
from hearth_desktop.settings.sites import SitesPage
from hearth_desktop.theme import Look
from hearth_desktop.widgets import S1, S2, S3, S5, button, column, frame, heading, holding, label, row, say
from hearth_shared.errors import HearthError

_SIZE: Final = QSize(840, 640)
_LIST_WIDTH: Final = 192
_ROW_HEIGHT: Final = 36
OWN, MODELS, KEYS, SITES = "This app", "Models", "Keys", "Sites"


class SettingsWindow(QWidget):
    """Every change counts at once; what needs a restart is said, with the button for it."""

    def __init__(self, model: SettingsModel, api: Api, preferences: Preferences, look: Look) -> None:
        super().__init__()
        self.setWindowTitle("Settings — Hearth")
        self._model = model
        self.rows: dict[str, OptionRow] = {}
        self._groups: dict[str, QWidget] = {}
        self._search = QLineEdit()
        self._list = QListWidget()
        self._lines = Rows(look, _ROW_HEIGHT)
        self._page = column(spacing=S5, margins=S5)
        self._trouble = label(kind="danger")
        self._nothing = label("No option is about that.", "muted")
        self._waiting = label()
        self._restart = button("&Restart Hearth", "primary")
        self._banner = frame("notice", self._waiting_row())
        self.own = OwnPage(preferences, look)
        self.keys = KeysPage(api)
        self.sites = SitesPage(api)
        self.servers = AddServer(model)
        self._build()
        self._connect()
        self._add_group(OWN, "Switches of the window and the icon.", self.own)
        self._add_group(MODELS, "", self.servers)
        self._add_group(KEYS, "", self.keys)
        self._add_group(SITES, "What Hearth may do on the sites you visit.", self.sites)
        self._list.setCurrentRow(0)
        self.resize(_SIZE)

    @property
    def search(self) -> QLineEdit:
        """The box above the sections."""
        return self._search

    def load(self) -> None:
        """As things are now."""
        self.own.load()
        self._model.load()
        self.keys.load()
        self.sites.load()

    def go(self, title: str) -> None:
        """Show a section by its title."""
        self._search.clear()
        for found in self._list.findItems(title, Qt.MatchFlag.MatchExactly):
            self._list.setCurrentItem(found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._search.text():
            self._search.clear()
        elif event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def _build(self) -> None:
        self._search.setPlaceholderText("Search settings")
        self._search.setAccessibleName("Search settings")
        self._search.setClearButtonEnabled(True)
        self._list.setAccessibleName("Sections")
        self._list.setItemDelegate(self._lines)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        side = holding(column(self._search, self._list, spacing=S2, margins=S3))
        side.setFixedWidth(_LIST_WIDTH + 2 * S3)
        self._page.addWidget(self._nothing)
        self._page.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(holding(self._page))
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        above = holding(column(self._banner, self._trouble, spacing=S2))
        above.setContentsMargins(S5, S3, S5, 0)
        self.setLayout(row(side, column(above, scroll, spacing=S1), spacing=0))
        self._banner.hide()
        self._nothing.hide()
        say(self._trouble, "")

    def _waiting_row(self) -> QHBoxLayout:
        made = row(self._waiting, self._restart, margins=S3)
        made.setStretch(0, 1)
        return made

    def _connect(self) -> None:
        model = self._model
        model.changed.connect(self._on_changed)
        model.failed.connect(self._on_failed)
        model.refused.connect(self._on_refused)
        model.restarting.connect(self._on_restarting)
        self._restart.clicked.connect(model.restart)
        self._list.currentRowChanged.connect(self._arrange)
        self._search.textChanged.connect(self._arrange)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self).activated.connect(self._search.setFocus)

    @Slot()
    def _on_changed(self) -> None:
        say(self._trouble, "")
        for section in self._model.sections:
            self._show_section(section)
        waiting = self._model.needs_restart
        self._banner.setVisible(bool(waiting))
        self._restart.setEnabled(True)
        some = "A change waits" if len(waiting) == 1 else f"{len(waiting)} changes wait"
        self._waiting.setText(f"{some} for the next start of Hearth: {', '.join(waiting)}.")
        self._arrange()

    def _show_section(self, section: Section) -> None:
        group = self._group_of(section)
        for option in section.options:
            suggestions = self._model.suggestions(option.name)
            if option.name in self.rows:
                self.rows[option.name].show_option(option, suggestions)
                continue
            self.rows[option.name] = made = OptionRow(option, suggestions)
            made.wanted.connect(self._on_wanted)
            layout = group.layout()
            if layout is not None:
                layout.addWidget(made)

    def _group_of(self, section: Section) -> QWidget:
        title = MODELS if section.name == "models" else section.title
        if title not in self._groups:
            self._add_group(title, section.help, None)
        return self._groups[title]

    def _add_group(self, title: str, about: str, content: QWidget | None) -> None:
        words = [heading(title), *([label(about, "muted")] if about else [])]
        made = holding(column(*words, spacing=S2))
        if content is not None and (layout := made.layout()) is not None:
            layout.addWidget(content)
        self._groups[title] = made
        self._page.insertWidget(self._page.count() - 1, made)
        self._list.addItem(title)
        made.setVisible(False)

    @Slot()
    def _arrange(self) -> None:
        """The chosen section, or all that is about what was searched for."""
        words = self._search.text().strip()
        chosen = self._list.currentItem().text() if self._list.currentRow() >= 0 else OWN
        for name, made in self.rows.items():
            made.setVisible(not words or schema.matches(made.option, words) or words.lower() in name)
        for title, group in self._groups.items():
            found = any(not made.isHidden() for made in self.rows.values() if group.isAncestorOf(made))
            named = words.lower() in title.lower()
            group.setVisible((found or named) if words else title == chosen)
        self._nothing.setVisible(bool(words) and all(group.isHidden() for group in self._groups.values()))

    @Slot(str, object)
    def _on_wanted(self, name: str, value: object) -> None:
        self._model.put({name: value})

    @Slot(str, object)
    def _on_refused(self, name: str, error: HearthError) -> None:
        if name in self.rows:
            self.rows[name].say_fault(str(error))
        else:
            say(self._trouble, str(error), "danger")

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        self._restart.setEnabled(True)
        say(self._trouble, str(error), "danger")

    @Slot()
    def _on_restarting(self) -> None:
        self._restart.setEnabled(False)
        self._waiting.setText("Hearth starts again…")
