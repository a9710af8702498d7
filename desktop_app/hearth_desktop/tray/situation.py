"""How Hearth is, as the tray knows it: one value, changed by what the backend tells. Pure."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

from hearth_shared.theme import State
from hearth_shared.wire import Component, Event, EventType, ModelInfo, Status, Task

_ENDS: Final = frozenset({EventType.TASK_FINISHED, EventType.TASK_FAILED, EventType.TASK_CANCELLED})
_BEGINS: Final = frozenset({EventType.TASK_QUEUED, EventType.TASK_STARTED})


class Link(Enum):
    """Whether the backend is there."""

    STARTING = "starts"
    CONNECTED = "connected"
    STOPPED = "stopped"
    FAILED = "failed"


class Situation(NamedTuple):
    """What the icon, its words and its menu are made from."""

    link: Link = Link.STARTING
    trouble: str = ""
    """Why the backend is not there, with what to do."""
    runs: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    faults: tuple[tuple[str, str], ...] = ()
    """Parts that do not work, with the reason."""
    model: str = ""
    """The model that answers, with where it is; empty when none is connected."""
    loading: str = ""
    local_only: bool = False

    @property
    def state(self) -> State:
        """The most pressing of it."""
        if self.link is Link.FAILED:
            return State.FAULT
        if self.link is not Link.CONNECTED:
            return State.OFFLINE
        if self.faults:
            return State.FAULT
        if self.pending:
            return State.NEEDS_YOU
        if self.runs or self.loading:
            return State.THINKING
        if not self.model:
            return State.OFFLINE
        return State.LOCAL_ONLY if self.local_only else State.IDLE

    @property
    def words(self) -> str:
        """The same for a person who does not see the icon: one line."""
        if self.link is not Link.CONNECTED:
            return _APART[self.link]
        if self.faults:
            return f"Hearth has a fault: {self.faults[0][0]}"
        if self.pending:
            return f"Hearth needs you: {_count(len(self.pending), 'approval waits', 'approvals wait')}"
        if self.loading:
            return f"Hearth loads {self.loading}"
        if self.runs:
            return f"Hearth is thinking ({_count(len(self.runs), 'task', 'tasks')})"
        if not self.model:
            return "Hearth works without a language model: it answers with quotations"
        return "Hearth is idle, local only" if self.local_only else "Hearth is idle"

    def known(self, status: Status, pending: Sequence[str], running: Sequence[Task]) -> "Situation":
        """Connected, with what the backend said of itself."""
        return self._replace(
            link=Link.CONNECTED,
            trouble="",
            runs=frozenset(task["id"] for task in running),
            pending=frozenset(pending),
            faults=tuple((part["name"], _reason(part)) for part in status["components"] if part["state"] == "fault"),
            model=model_words(status["models"]),
            loading="",
        )

    def apart(self, link: Link, trouble: str = "") -> "Situation":
        """Not connected: nothing that was known holds any more."""
        return Situation(link=link, trouble=trouble, local_only=self.local_only)

    def after(self, event: Event) -> "Situation":
        """With what an event tells."""
        kind, data, run = event["type"], event["data"], event["run_id"]
        if run is not None and kind in _BEGINS:
            return self._replace(runs=self.runs | {run})
        if run is not None and kind in _ENDS:
            return self._replace(runs=self.runs - {run})
        match kind:
            case EventType.APPROVAL_REQUESTED:
                return self._replace(pending=self.pending | {_text(data, "id")})
            case EventType.APPROVAL_DECIDED | EventType.APPROVAL_EXPIRED:
                return self._replace(pending=self.pending - {_text(data, "id")})
            case EventType.MODEL_LOADING:
                return self._replace(loading=_text(data, "model"))
            case EventType.MODEL_READY:
                return self._replace(loading="", model=f"{_text(data, 'model')} · this machine")
            case EventType.HEALTH_CHANGED:
                return self._replace(loading="", faults=_changed(self.faults, data))
            case _:
                return self


def model_words(models: Sequence[ModelInfo]) -> str:
    """The first model that holds conversations, and where it is."""
    chat = next((model for model in models if "chat" in model["roles"]), None)
    return "" if chat is None else f"{chat['id']} · {chat['where']}"


def _changed(faults: tuple[tuple[str, str], ...], data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    name = _text(data, "name")
    others = tuple(fault for fault in faults if fault[0] != name)
    if data.get("state") != "fault":
        return others
    return (*others, (name, f"{_text(data, 'detail')} {_text(data, 'fix')}".strip()))


def _reason(part: Component) -> str:
    return f"{part['detail']} {part['fix']}".strip()


def _text(data: Mapping[str, Any], name: str) -> str:
    return str(data.get(name, ""))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


_APART: Final = {
    Link.STARTING: "Hearth starts",
    Link.STOPPED: "Hearth is stopped",
    Link.FAILED: "Hearth cannot start",
}
