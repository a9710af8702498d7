"""What a person does with the sources of an answer: looks at them, opens them, forgets a memory and takes it back."""

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices

from hearth_desktop.chat import opening, words
from hearth_desktop.chat.forgetting import Forgetting
from hearth_desktop.chat.notices import Notice
from hearth_desktop.chat.sources import SourcesPanel
from hearth_desktop.chat.turn import Turn
from hearth_desktop.net.api import Api
from hearth_shared.errors import HearthError
from hearth_shared.wire import Forgotten, Source

RESTORE = "restore"
"""The act of the notice that offers to take a forgetting back."""


class SourceDesk(QObject):
    """Between the panel, the notice that says what was done, and the backend."""

    thread_wanted = Signal(str)
    shown = Signal(bool)
    """The panel came or went."""
    failed = Signal(object)
    """A HearthError."""

    def __init__(self, api: Api, panel: SourcesPanel, notice: Notice, parent: QObject) -> None:
        super().__init__(parent)
        self._api = api
        self._panel = panel
        self._notice = notice
        self._forgetting = Forgetting(api, self)
        self._forgetting.forgot.connect(self._on_forgot)
        self._forgetting.restored.connect(self._on_restored)
        self._forgetting.failed.connect(self._on_failed)
        panel.closed.connect(self.close)
        panel.open_wanted.connect(self.open)
        panel.forget_wanted.connect(self._forgetting.forget)

    def choose(self, turn: Turn, number: int) -> None:
        """A number or a chip was pressed: a page or a file opens at once; what has only its text is shown."""
        source = next((one for one in turn.sources if one["n"] == number), None)
        if source is None:
            return
        if isinstance(opening.target(source), opening.Page | opening.File):
            self.open(source)
        else:
            self.show(turn, number)

    def show(self, turn: Turn | None, number: int = 0) -> None:
        """All sources of a turn, beginning at one."""
        self._panel.show()
        self._panel.show_turn(turn, number)
        if not number:
            self._panel.close_button.setFocus()
        self.shown.emit(True)

    def update(self, turn: Turn) -> None:
        """The turn that is shown is another now."""
        shown = self._panel.turn
        if shown is not None and shown.key == turn.key and self._panel.isVisible():
            self._panel.show_turn(turn)

    def restore(self) -> None:
        """Take the last forgetting back."""
        self._forgetting.restore()

    @Slot()
    def close(self) -> None:
        """Put the panel away."""
        if not self._panel.isHidden():
            self._panel.hide()
            self.shown.emit(False)

    @Slot(object)
    def open(self, source: Source) -> None:
        """Where it came from."""
        match opening.target(source):
            case opening.Page(url):
                QDesktopServices.openUrl(QUrl(url))
            case opening.File(path) | opening.Folder(path):
                QDesktopServices.openUrl(QUrl.fromLocalFile(path))
            case opening.Thread(run_id):
                reply = self._api.request("GET", f"/v1/tasks/{run_id}")
                reply.done.connect(self._on_task)
                reply.failed.connect(self.failed)
            case opening.Text():
                pass

    @Slot(object)
    def _on_task(self, task: dict[str, str | None]) -> None:
        if thread_id := task["thread_id"]:
            self.thread_wanted.emit(thread_id)
        else:
            self._notice.tell("It was not said in a thread.")

    @Slot(object, bool)
    def _on_forgot(self, forgotten: Forgotten, can_return: bool) -> None:
        episodes = forgotten["episodes"]
        if not episodes:
            self._notice.tell("It had been forgotten already.")
            return
        said = f"Forgotten in every door: {words.one_line(episodes[0]['text'], 80)}"
        detail = "" if can_return else "It came from outside: to have it back, remember it again where it came from."
        self._notice.tell(said, detail, act=RESTORE if can_return else "", verb="Undo" if can_return else "")

    @Slot()
    def _on_restored(self) -> None:
        self._notice.tell("It is remembered again.")

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        if self._panel.turn is not None:
            self._panel.refill()
        self.failed.emit(error)
