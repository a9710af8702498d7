"""The chat window: threads at the left, the open one in the middle, its sources at the right, the question below."""

from typing import Final, Literal, cast
from urllib.parse import unquote

from PySide6.QtCore import QByteArray, QEvent, QMimeData, Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import (
    QCloseEvent,
    QDesktopServices,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from hearth_desktop.chat import words
from hearth_desktop.chat.answering import Question
from hearth_desktop.chat.composer import Composer
from hearth_desktop.chat.conversation import Conversation
from hearth_desktop.chat.drafts import Drafts
from hearth_desktop.chat.elided import Elided
from hearth_desktop.chat.find_bar import FindBar
from hearth_desktop.chat.markdown.formats import Formats
from hearth_desktop.chat.markdown.lexer import lexer_for
from hearth_desktop.chat.notices import Above, Notice, Welcome
from hearth_desktop.chat.page import Page
from hearth_desktop.chat.source_desk import SourceDesk
from hearth_desktop.chat.sources import SourcesPanel
from hearth_desktop.chat.standing import Standing
from hearth_desktop.chat.thread_list import ThreadPane
from hearth_desktop.chat.threads import ThreadModel
from hearth_desktop.chat.turn import Turn
from hearth_desktop.chat.view import COLUMN_PX, AnswerView
from hearth_desktop.net.api import Api
from hearth_desktop.net.events import EventStream
from hearth_desktop.theme import Look, code_font, text_font
from hearth_desktop.widgets import S2, S3, S4, button, label
from hearth_shared.errors import HearthError
from hearth_shared.wire import FileText

_LIST_PX, _NARROW_PX = 264, 720
_DRAFT_MS: Final = 800
_MINUTE_MS: Final = 60_000
_WARM_MS: Final = 800


class ChatWindow(QMainWindow):
    """Shows what the models decide, and tells them what the person does."""

    settings_wanted = Signal()
    """The person wants to connect a model."""

    def __init__(self, api: Api, events: EventStream, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._api = api
        self._look = look
        self._narrow = False
        self.conversation = Conversation(api, self)
        self.threads = ThreadModel(api, self)
        self.standing = Standing(api, events, self)
        self._drafts = Drafts(api.locator.home.run / "drafts.json")
        self._make_widgets()
        self.desk = SourceDesk(api, self.sources, self.passing, self)
        self.page = Page(self.conversation, self.view.document(), self._formats(), self.view.column())
        self._store_drafts = QTimer(self, singleShot=True, interval=_DRAFT_MS)
        self._store_drafts.timeout.connect(self._drafts.store)
        self._minute = QTimer(self, interval=_MINUTE_MS)
        self._minute.timeout.connect(self.threads.tell_times)
        self._arrange()
        self._connect_models(events)
        self._connect_widgets()
        self._add_keys()
        self._on_opened()
        self._show_title()
        if events.is_open:
            self._on_connected()

    # -- for the rest of the app

    def ask(self, text: str = "") -> None:
        """A new thread with this in the question box, to be sent by hand."""
        self.new_thread()
        if text:
            self.composer.text.put(text)

    def open_thread(self, thread_id: str) -> None:
        """Show a thread."""
        self._switch(thread_id)

    @Slot()
    def new_thread(self) -> None:
        """An empty one."""
        self._switch("")

    def set_local_only(self, on: bool) -> None:
        """What holds for new questions."""
        if self.composer.local.isEnabled():
            self.composer.local.setChecked(on)

    @Slot()
    def toggle_sources(self) -> None:
        """Why the last answer says what it says; or hide it."""
        if self.sources.isVisible():
            self.desk.close()
        else:
            self.desk.show(self.conversation.last_answer)

    # -- building

    def _formats(self) -> Formats:
        font = text_font()
        font.setPointSizeF(font.pointSizeF() * 1.05)
        return Formats(self._look.palette, font, code_font())

    def _make_widgets(self) -> None:
        self.setWindowTitle("Hearth")
        self.resize(1080, 760)
        self.setMinimumSize(420, 360)
        self.pane = ThreadPane(self.threads, self._look)
        self.view = AnswerView(self._look)
        self.welcome = Welcome()
        self.stack = QStackedWidget()
        self.composer = Composer()
        self.sources = SourcesPanel()
        self.notice = Notice()
        self.passing = Notice()
        self.find_bar = FindBar(self.view)
        self.title = Elided("title")
        self.about = label("", "muted")
        self.about.setWordWrap(False)
        self.list_button = button("Threads", "quiet", name="Show or hide the threads", hint="Ctrl+B")
        self.why_button = button("Sources", "quiet", name="Show or hide the sources", hint="Ctrl+.")
        self.why_button.setCheckable(True)
        self.earlier = button("Show earlier turns", "quiet")
        self.sources.hide()
        self.earlier.hide()

    def _arrange(self) -> None:
        self.stack.addWidget(self.welcome)
        self.stack.addWidget(self.view)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar())
        column.addWidget(Above(self.notice, self.passing, self.find_bar))
        column.addWidget(self.earlier, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.stack, 1)
        below = QHBoxLayout()
        below.setContentsMargins(S3, S2, S3, S4)
        below.addStretch(1)
        below.addWidget(self.composer, 100)
        below.addStretch(1)
        self.composer.setMaximumWidth(COLUMN_PX + 2 * S3)
        column.addLayout(below)
        self.splitter = QSplitter()
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        for widget in (self.pane, middle, self.sources):
            self.splitter.addWidget(widget)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([_LIST_PX, 800, 0])
        self.pane.setMinimumWidth(180)
        middle.setMinimumWidth(320)
        self.setCentralWidget(self.splitter)

    def _bar(self) -> QWidget:
        bar = QFrame()
        bar.setProperty("kind", "bar")
        line = QHBoxLayout(bar)
        line.setContentsMargins(S2, S2, S3, S2)
        line.setSpacing(S2)
        line.addWidget(self.list_button)
        line.addWidget(self.title, 1)
        line.addWidget(self.about)
        line.addWidget(self.why_button)
        return bar

    def _connect_models(self, events: EventStream) -> None:
        events.happened.connect(self.conversation.hear)
        events.happened.connect(self.threads.hear)
        events.connected.connect(self._on_connected)
        self.conversation.opened.connect(self._on_opened)
        self.conversation.added.connect(self._on_added)
        self.conversation.changed.connect(self._on_changed)
        self.conversation.titled.connect(self._show_title)
        self.conversation.busy.connect(self._on_busy)
        self.conversation.failed.connect(self._on_failed)
        self.threads.failed.connect(self._on_failed)
        self.standing.changed.connect(self._show_standing)
        self.desk.failed.connect(self._on_failed)
        self.desk.thread_wanted.connect(self.open_thread)
        self.desk.shown.connect(self._on_sources_shown)
        self._look.changed.connect(self._on_look)
        self.page.drawn.connect(self._on_drawn)

    def _connect_widgets(self) -> None:
        self.pane.chosen.connect(self._on_chosen)
        self.pane.new_wanted.connect(self.new_thread)
        self.composer.sent.connect(self._on_sent)
        self.composer.stopped.connect(self.conversation.stop)
        self.composer.changed.connect(self._on_draft)
        self.view.followed.connect(self._on_link)
        self.view.fitted.connect(self._on_fitted)
        self.welcome.chosen.connect(self._on_starter)
        self.notice.acted.connect(self._on_act)
        self.passing.acted.connect(self._on_act)
        self.find_bar.closed.connect(self._close_find)
        self.list_button.clicked.connect(self._toggle_list)
        self.why_button.clicked.connect(self.toggle_sources)
        self.earlier.clicked.connect(self.page.show_earlier)

    def _add_keys(self) -> None:
        for keys, slot in (
            ("Ctrl+N", self.new_thread),
            ("Ctrl+L", self._focus_question),
            ("Ctrl+F", self.find_bar.begin),
            ("Ctrl+B", self._toggle_list),
            ("Ctrl+.", self.toggle_sources),
            ("Ctrl+Shift+C", self._copy_last),
            ("Ctrl+End", self.view.follow.jump),
            ("Ctrl+W", self.close),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(slot)
        for number in range(1, 10):
            shortcut = QShortcut(QKeySequence(f"Alt+{number}"), self)
            shortcut.setProperty("row", number - 1)
            shortcut.activated.connect(self._on_number)

    # -- the window's own life

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes or stops, one thing at a time, the nearest first."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.find_bar.isVisible():
            self._close_find()
        elif self.conversation.is_busy:
            self.conversation.stop()
        elif self.sources.isVisible():
            self.desk.close()
        else:
            self.close()

    def changeEvent(self, event: QEvent) -> None:
        """Times are told while somebody looks."""
        if event.type() == QEvent.Type.ActivationChange:
            self.threads.tell_times()
            if self.isActiveWindow():
                self._minute.start()
            else:
                self._minute.stop()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow window has no room for the list, and gives it back when it grows."""
        super().resizeEvent(event)
        narrow = event.size().width() < _NARROW_PX
        self.about.setVisible(not narrow)
        if narrow != self._narrow:
            self._narrow = narrow
            self.pane.setVisible(not narrow)

    def closeEvent(self, event: QCloseEvent) -> None:
        """What was begun is kept."""
        self._keep_draft()
        self._drafts.store()
        super().closeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Ready to type; what the first code needs is loaded while nothing happens yet."""
        super().showEvent(event)
        self._focus_question()
        QTimer.singleShot(_WARM_MS, self, self._warm)

    @Slot()
    def _warm(self) -> None:
        lexer_for("python")

    @Slot()
    def _on_fitted(self) -> None:
        self.page.fit(self.view.column())

    # -- threads

    @Slot(str, str)
    def _on_chosen(self, thread_id: str, title: str) -> None:
        self._switch(thread_id, title)

    @Slot()
    def _on_number(self) -> None:
        if thread_id := self.threads.id_at(int(self.sender().property("row"))):
            self._switch(thread_id)

    def _switch(self, thread_id: str, title: str = "") -> None:
        if thread_id and thread_id == self.conversation.thread_id:
            self._focus_question()
            return
        self._keep_draft()
        self.desk.close()
        self.passing.hide()
        if thread_id:
            self.conversation.open(thread_id, title=title)
        else:
            self.conversation.begin_new()
        self.composer.text.put(self._drafts.get(thread_id))
        self.view.follow.jump()
        self._focus_question()

    @Slot()
    def _on_opened(self) -> None:
        self._show_stack()
        self.earlier.setVisible(self.page.earlier > 0)

    @Slot()
    def _on_drawn(self) -> None:
        self.earlier.setVisible(self.page.earlier > 0)

    def _show_stack(self) -> None:
        self.welcome.show_loading(self.conversation.is_loading)
        empty = not self.conversation.turns
        self.stack.setCurrentWidget(self.welcome if empty else self.view)

    @Slot()
    def _show_title(self) -> None:
        conversation = self.conversation
        name = conversation.title if conversation.thread_id else "New thread"
        if conversation.thread_id and conversation.about is None:
            row = self.threads.row_of(conversation.thread_id)
            name = self.threads.title_at(row) if row >= 0 else ""
        self.title.setText(name)
        self.about.setText(words.about(conversation.about))
        self.setWindowTitle(f"{name} — Hearth" if name else "Hearth")
        reason = "This thread is local only: nothing of it leaves the machine"
        self.composer.set_local(forced=conversation.is_local_only, reason=reason)
        self.pane.show_current(conversation.thread_id)

    # -- asking

    @Slot(str, object, bool)
    def _on_sent(self, text: str, files: object, local_only: bool) -> None:
        self._drafts.put(self.conversation.thread_id, "")
        self.composer.clear()
        self.view.follow.jump()
        self.conversation.ask(Question(text, tuple(cast("tuple[FileText, ...]", files)), local_only))

    @Slot(object)
    def _on_added(self, turn: Turn) -> None:
        self._show_stack()

    @Slot(object)
    def _on_changed(self, turn: Turn) -> None:
        self.desk.update(turn)

    @Slot()
    def _on_busy(self) -> None:
        self.composer.set_busy(self.conversation.is_busy)

    @Slot(str)
    def _on_starter(self, text: str) -> None:
        self.composer.text.put(text)
        self._focus_question()
        if not text.endswith(" "):
            self.composer.submit()

    @Slot()
    def _on_draft(self) -> None:
        self._store_drafts.start()
        self._keep_draft()

    def _keep_draft(self) -> None:
        self._drafts.put(self.conversation.thread_id, self.composer.text.toPlainText())

    # -- what a link in the document does

    @Slot(str)
    def _on_link(self, href: str) -> None:
        url = QUrl(href)
        if url.scheme() != "hearth":
            QDesktopServices.openUrl(url)
            return
        verb, _, rest = url.path().partition("/")
        key, _, number = rest.partition("/")
        turn = self.conversation.turn(unquote(key))
        if verb == "copy" and key.isdigit():
            self._copy(self.view.code_of(int(key)), "Copied the code.")
        elif turn is not None:
            self._on_turn_link(verb, turn, number)

    def _on_turn_link(self, verb: str, turn: Turn, number: str) -> None:
        match verb:
            case "source" if number.isdigit():
                self.desk.choose(turn, int(number))
            case "again":
                self.conversation.ask_again(turn.key)
            case "copy-answer":
                self._copy(turn.text, "Copied the answer.")
            case "rate-good" | "rate-bad":
                self.conversation.rate(turn.key, cast("Literal['good', 'bad']", verb.removeprefix("rate-")))
            case "thinking" | "whole" if view := self.page.view(turn.key):
                view.toggle_thinking() if verb == "thinking" else view.show_whole_question()
            case _:
                pass

    def _copy(self, text: str, said: str) -> None:
        data = QMimeData()
        data.setText(text)
        data.setData("text/markdown", QByteArray(text.encode()))
        QGuiApplication.clipboard().setMimeData(data)
        self.passing.tell(said)
        QTimer.singleShot(2500, self.passing, self.passing.hide)

    @Slot()
    def _copy_last(self) -> None:
        if (turn := self.conversation.last_answer) is not None:
            self._copy(turn.text, "Copied the last answer.")

    @Slot(bool)
    def _on_sources_shown(self, shown: bool) -> None:
        self.why_button.setChecked(shown)
        if not shown:
            self._focus_question()

    # -- how things stand

    @Slot()
    def _on_connected(self) -> None:
        self.threads.reconnect()
        self.conversation.refresh()

    @Slot()
    def _show_standing(self) -> None:
        said = self.standing.said
        if said is None:
            self.notice.hide()
        else:
            self.notice.tell(said.text, said.detail, kind=said.kind, act=said.act, verb=said.verb, closes=said.closes)

    @Slot(str)
    def _on_act(self, act: str) -> None:
        match act:
            case "start":
                self.standing.start()
            case "models":
                self.settings_wanted.emit()
            case "restore":
                self.desk.restore()
            case "reload":
                self.passing.hide()
                self._on_connected()
            case _:
                pass

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        if self.standing.is_offline:  # that is said already, with what to do
            return
        self._show_stack()
        self.passing.tell(
            error.detail,
            error.fix,
            kind="danger",
            act="reload" if error.retryable else "",
            verb="Try again" if error.retryable else "",
        )

    # -- the rest

    @Slot()
    def _focus_question(self) -> None:
        self.composer.text.setFocus()

    @Slot()
    def _close_find(self) -> None:
        self.find_bar.hide()
        self._focus_question()

    @Slot()
    def _toggle_list(self) -> None:
        self.pane.setVisible(not self.pane.isVisible())

    @Slot()
    def _on_look(self) -> None:
        self.page.look(self._formats(), self.view.column())
        self.pane.list.viewport().update()
