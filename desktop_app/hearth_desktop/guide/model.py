"""Asks what there is, and keeps which steps were taken."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from hearth_desktop.guide import machine
from hearth_desktop.guide.machine import Machine
from hearth_desktop.guide.steps import Found, Step, left, steps
from hearth_desktop.net.api import Api
from hearth_desktop.preferences import Choices, Preferences
from hearth_desktop.settings.model import SettingsModel
from hearth_desktop.together import Together
from hearth_shared.errors import HearthError, HomeError

_CHAT = "models.chat"
_PATHS = ("/v1/status", "/v1/model-files", "/v1/keys", "/v1/settings", "/v1/clients")


class GuideModel(QObject):
    """`steps` are those that are left; `step` is the one in sight, None before the answers and after the last."""

    changed = Signal()
    failed = Signal(object)
    """A HearthError."""

    def __init__(
        self,
        api: Api,
        settings: SettingsModel,
        preferences: Preferences,
        parent: QObject,
        *,
        look: Callable[[], Machine] = machine.look,
    ) -> None:
        super().__init__(parent)
        self.steps: list[Step] = []
        self.all_steps: list[Step] = []
        self.is_loaded = False
        self._skipped: set[str] = set()
        self._api = api
        self._settings = settings
        self._preferences = preferences
        self._look = look
        self._asking: Together | None = None
        settings.failed.connect(self._on_failed)
        settings.refused.connect(self._on_refused)

    @property
    def step(self) -> Step | None:
        """The card in sight."""
        return self.steps[0] if self.steps else None

    @property
    def number(self) -> int:
        """Which one it is of all, from 1."""
        step = self.step
        return 0 if step is None else 1 + [one.name for one in self.all_steps].index(step.name)

    def begin(self) -> None:
        """From the first step that is left, also of those that were skipped the last time."""
        self._skipped.clear()
        self.load()

    @Slot()
    def load(self) -> None:
        """Ask what there is."""
        if self._asking is None:
            self._asking = Together([self._api.request("GET", path) for path in _PATHS], self)
            self._asking.done.connect(self._on_found)
            self._asking.failed.connect(self._on_failed)

    def use_model(self, model: str) -> None:
        """Let it answer: stored, and counted from the next start, which is now."""
        self._settings.stored.connect(self._on_stored)
        self._settings.put({_CHAT: model})

    def go_on(self) -> None:
        """The step in sight was taken."""
        if (step := self.step) is not None:
            self._keep(step.name)
            self.skip()

    def skip(self) -> None:
        """The next one; the one in sight comes again when the guide does."""
        self._skipped.update(step.name for step in self.steps[:1])
        self.steps = self.steps[1:]
        self.changed.emit()

    def seen(self) -> None:
        """The guide was shown: it does not come by itself again."""
        self._choose(self._preferences.choices._replace(guide_seen=True))

    def _keep(self, *names: str) -> None:
        choices = self._preferences.choices
        self._choose(choices._replace(passed=tuple(dict.fromkeys((*choices.passed, *names)))))

    def _choose(self, choices: Choices) -> None:
        try:
            self._preferences.choose(choices)
        except HomeError as error:
            self.failed.emit(error)

    @Slot(list)
    def _on_found(self, answers: list[Any]) -> None:
        self._asking = None
        self.is_loaded = True
        status, files, keys, settings, clients = answers
        browsers = [
            client["name"]
            for client in clients["clients"]
            if client["kind"] == "browser" and client["revoked_at"] is None
        ]
        found = Found(self._look(), status["models"], files["files"], keys["keys"], settings["values"], browsers)
        self.all_steps = steps(found)
        self._keep(*(step.name for step in self.all_steps if step.is_done))
        out = {*self._preferences.choices.passed, *self._skipped}
        self.steps = left(self.all_steps, tuple(out)) or self.all_steps[-1:]
        self.changed.emit()

    @Slot(str)
    def _on_stored(self, name: str) -> None:
        if name != _CHAT:
            return
        self._settings.stored.disconnect(self._on_stored)
        self._settings.restart()
        self.go_on()

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        self._asking = None
        self.failed.emit(error)

    @Slot(str, object)
    def _on_refused(self, _name: str, error: HearthError) -> None:
        self.failed.emit(error)
