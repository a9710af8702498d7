"""The inbox: what waits for the person's decision, and what was decided."""

from typing import Final

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QSplitter, QStackedWidget, QWidget

from hearth_desktop.approvals import lines, words
from hearth_desktop.approvals.card import ApprovalCard
from hearth_desktop.approvals.lines import ApprovalLines
from hearth_desktop.approvals.model import ApprovalModel
from hearth_desktop.theme import Look
from hearth_desktop.widgets import S2, S4, S5, column, heading, holding, label, row, say
from hearth_shared.errors import HearthError
from hearth_shared.wire import Approval

_ID: Final = Qt.ItemDataRole.UserRole
_LIST_WIDTH: Final = 288
_SIZE: Final = QSize(880, 640)
_LONGEST: Final = 200
_TEXT_WIDTH: Final = 400
_NOTHING: Final = "Nothing waits for your decision"
_NOTHING_YET: Final = (
    "When a task wants to do something that needs your word, it stands here with everything there is to know about it."
)


class InboxWindow(QWidget):
    """A list and the card of the chosen one."""

    closed = Signal()

    def __init__(self, model: ApprovalModel, look: Look) -> None:
        super().__init__()
        self.setWindowTitle("Inbox — Hearth")
        self._model = model
        self._list = QListWidget()
        self._lines = ApprovalLines(look)
        self._card = ApprovalCard(look)
        self._trouble = label(kind="danger")
        self._pages = QStackedWidget()
        self._build()
        model.changed.connect(self._show)
        model.failed.connect(self._on_failed)
        model.refused.connect(self._on_refused)
        self._card.decided.connect(model.decide)
        self._list.currentItemChanged.connect(self._on_chosen)
        self._show()
        self.resize(_SIZE)
        model.load()

    @property
    def card(self) -> ApprovalCard:
        """The card in sight."""
        return self._card

    @property
    def list(self) -> QListWidget:
        """What can be chosen."""
        return self._list

    def choose(self, approval_id: str) -> None:
        """Show the card of this one."""
        for number in range(self._list.count()):
            if self._list.item(number).data(_ID) == approval_id:
                self._list.setCurrentRow(number)

    def choose_waiting(self) -> None:
        """Show one that waits, if the one in sight does not."""
        waiting = [approval["id"] for approval in self._model.pending]
        if waiting and self._card.approval_id not in waiting:
            self.choose(waiting[0])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def _build(self) -> None:
        self._list.setAccessibleName("Approvals")
        self._list.setUniformItemSizes(True)
        self._list.setItemDelegate(self._lines)
        self._pages.addWidget(holding(row(-1, _nothing(), -1)))
        self._pages.addWidget(self._card)
        splitter = QSplitter()
        self._side = holding(column(self._list, margins=S2))
        splitter.addWidget(self._side)
        splitter.addWidget(self._pages)
        splitter.setStretchFactor(0, 0)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([_LIST_WIDTH, _SIZE.width() - _LIST_WIDTH])
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(1)
        say(self._trouble, "", "danger")
        self._trouble.setContentsMargins(S4, S2, S4, S2)
        self.setLayout(column(self._trouble, splitter, spacing=0))

    @Slot()
    def _show(self) -> None:
        say(self._trouble, "", "danger")
        chosen = self._card.approval_id
        self._list.blockSignals(True)
        self._list.clear()
        for approval in self._model.approvals:
            self._list.addItem(self._item(approval))
        self._list.blockSignals(False)
        self.choose(chosen)
        if self._list.currentRow() < 0 and self._list.count():
            self._list.setCurrentRow(0)
        self._show_card()

    def _item(self, approval: Approval) -> QListWidgetItem:
        now = self._model.clock()
        waits = f"Waits for you · asked {words.past(now - approval['created_at'])}"
        item = QListWidgetItem(words.title(approval)[:_LONGEST])
        item.setData(_ID, approval["id"])
        item.setData(lines.STANDING, words.outcome(approval, now) or waits)
        item.setData(lines.WAITS, approval["status"] == "pending")
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text()}. {item.data(lines.STANDING)}")
        return item

    @Slot()
    def _on_chosen(self) -> None:
        self._show_card()

    def _show_card(self) -> None:
        index = self._list.currentIndex()
        approval = self._model.find(str(index.data(_ID))) if index.isValid() else None
        if approval is not None:
            self._card.show_approval(approval, self._model.clock())
        self._pages.setCurrentIndex(0 if approval is None else 1)
        self._side.setVisible(approval is not None)

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        say(self._trouble, str(error), "danger")

    @Slot(str, object)
    def _on_refused(self, approval_id: str, error: HearthError) -> None:
        if self._card.approval_id == approval_id:
            self._card.say_refused(str(error))


def _nothing() -> QWidget:
    title, about = heading(_NOTHING), label(_NOTHING_YET, "muted")
    made = holding(column(-1, title, about, -1, spacing=S2, margins=S5))
    made.setFixedWidth(_TEXT_WIDTH)
    for line in (title, about):
        line.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    return made
