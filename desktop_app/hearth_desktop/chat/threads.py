"""The list of all threads, whichever door they were begun at. No widget is known here."""

import time
from collections.abc import Callable
from typing import Any, Final, cast

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal, Slot

from hearth_desktop.chat import words
from hearth_desktop.net.api import Api
from hearth_shared.wire import Event, EventType, Thread, ThreadList

ID: Final = int(Qt.ItemDataRole.UserRole)
SUBTITLE: Final = ID + 1
BUSY: Final = ID + 2
_PAGE: Final = 200
_TOGETHER_MS: Final = 120
"""What happens in a burst is read once."""
_FINAL: Final = frozenset({EventType.TASK_FINISHED, EventType.TASK_FAILED, EventType.TASK_CANCELLED})
_Index = QModelIndex | QPersistentModelIndex
_NO_INDEX: Final = QModelIndex()


class ThreadModel(QAbstractListModel):
    """Last used first; `find` keeps those whose title holds all words."""

    loaded = Signal()
    """The list is as the backend has it now."""
    failed = Signal(object)
    """A HearthError: it could not be read."""

    def __init__(self, api: Api, parent: QObject | None = None, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(parent)
        self._api = api
        self._clock = clock
        self._all: list[Thread] = []
        self._shown: list[Thread] = []
        self._next: str | None = None
        self._busy: dict[str, set[str]] = {}
        self._sought = ""
        self.is_loaded = False
        self._soon = QTimer(self, singleShot=True, interval=_TOGETHER_MS)
        self._soon.timeout.connect(self.load)

    # -- what is shown

    def rowCount(self, parent: _Index = _NO_INDEX) -> int:
        """Threads that fit what is sought."""
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Title, what stands below it, and the same for those who hear it."""
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        thread = self._shown[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return words.title(thread["title"])
            case Qt.ItemDataRole.ToolTipRole:
                return f"{words.title(thread['title'])}\nLast used {words.exactly(thread['updated_at'])}"
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{words.title(thread['title'])}, {self.subtitle(thread)}"
            case _:
                return self._own(thread, role)

    def _own(self, thread: Thread, role: int) -> Any:
        if role == ID:
            return thread["id"]
        if role == SUBTITLE:
            return self.subtitle(thread)
        return bool(self._busy.get(thread["id"])) if role == BUSY else None

    def subtitle(self, thread: Thread) -> str:
        """Where it was begun and when it was last used, or that it is being answered."""
        if self._busy.get(thread["id"]):
            return "answering…"
        parts = [words.ago(thread["updated_at"], self._clock())]
        if thread["door"] != "tray":
            parts.append(words.door(thread["door"]))
        if thread["local_only"]:
            parts.append("local only")
        return " · ".join(parts)

    def id_at(self, row: int) -> str:
        """The thread in a row; empty beyond the end."""
        return self._shown[row]["id"] if 0 <= row < len(self._shown) else ""

    def title_at(self, row: int) -> str:
        """What the thread in a row is called."""
        return words.title(self._shown[row]["title"])

    def subtitle_at(self, row: int) -> str:
        """What stands below it."""
        return self.subtitle(self._shown[row])

    def row_of(self, thread_id: str) -> int:
        """The row of a thread, or -1."""
        return next((row for row, thread in enumerate(self._shown) if thread["id"] == thread_id), -1)

    def find(self, sought: str) -> None:
        """Keep the threads whose title holds these words."""
        self._sought = sought.strip().lower()
        self._show()
        if self._sought and self._next:
            self._more()

    @Slot()
    def tell_times(self) -> None:
        """The times are others now."""
        if self._shown:
            self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1), [SUBTITLE])

    # -- what there is

    @Slot()
    def load(self) -> None:
        """Read the list."""
        self._soon.stop()
        reply = self._api.request("GET", f"/v1/threads?limit={_PAGE}")
        reply.done.connect(self._on_first)
        reply.failed.connect(self.failed)

    def canFetchMore(self, parent: _Index) -> bool:
        """Whether older threads are not read yet."""
        return not parent.isValid() and self._next is not None

    def fetchMore(self, parent: _Index) -> None:
        """Read older ones."""
        self._more()

    def _more(self) -> None:
        if self._next is not None:
            place, self._next = self._next, None
            reply = self._api.request("GET", f"/v1/threads?limit={_PAGE}&after={place}")
            reply.done.connect(self._on_more)
            reply.failed.connect(self.failed)

    @Slot(object)
    def _on_first(self, found: ThreadList) -> None:
        fresh = {thread["id"] for thread in found["threads"]}
        older = [thread for thread in self._all if thread["id"] not in fresh] if found["next"] else []
        self._all = [*found["threads"], *older]
        if not older:
            self._next = found["next"]
        self._loaded()

    @Slot(object)
    def _on_more(self, found: ThreadList) -> None:
        known = {thread["id"] for thread in self._all}
        self._all += [thread for thread in found["threads"] if thread["id"] not in known]
        self._next = found["next"]
        self._loaded()
        if self._sought:
            self._more()

    def _loaded(self) -> None:
        self.is_loaded = True
        self._show()
        self.loaded.emit()

    def _show(self) -> None:
        wanted = self._sought.split()
        shown = [thread for thread in self._all if all(word in thread["title"].lower() for word in wanted)]
        if [thread["id"] for thread in shown] == [thread["id"] for thread in self._shown]:
            self._shown = shown
            if shown:
                self.dataChanged.emit(self.index(0), self.index(len(shown) - 1))
            return
        self.beginResetModel()
        self._shown = shown
        self.endResetModel()

    @Slot(object)
    def hear(self, event: Event) -> None:
        """Something happened in a thread."""
        thread_id, run_id = event["thread_id"], event["run_id"] or ""
        if not thread_id or not event["type"].startswith("task."):
            return
        runs = self._busy.setdefault(thread_id, set())
        if event["type"] in _FINAL:
            runs.discard(run_id)
        else:
            runs.add(run_id)
        if not self._soon.isActive():
            self._soon.start()

    @Slot()
    def reconnect(self) -> None:
        """The connection is new: what was under way may have ended unseen."""
        self._busy.clear()
        self.load()


def thread_index(index: _Index) -> str:
    """The thread's id of an index."""
    return cast("str", index.data(ID) or "")
