"""The options as the backend has them, and changes on their way to it."""

import os
import sys
from collections.abc import Iterable
from typing import Any, Final

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal, Slot

from hearth_desktop.net.api import Api, Reply
from hearth_desktop.settings import schema
from hearth_desktop.settings.schema import Section
from hearth_desktop.together import Together
from hearth_shared.errors import BackendUnavailable, HearthError
from hearth_shared.wire import ModelFileInfo, ModelFileList, ModelInfo, SettingsView, Status

STOP: Final = (sys.executable, "-I", "-m", "hearth_backend", "down")
_MODEL_ROLES: Final = {"models.chat": "chat", "models.complete": "complete", "models.embed": "embed"}


class SettingsModel(QObject):
    """`sections` holds every option; each change goes out at once and is stored, or refused with a reason."""

    changed = Signal()
    failed = Signal(object)
    """A HearthError: the options could not be had."""
    stored = Signal(str)
    """The name of the option that was stored."""
    refused = Signal(str, object)
    """The name of an option, and the HearthError that says why it cannot be that."""
    restarting = Signal()

    def __init__(self, api: Api, parent: QObject, *, environ: Iterable[str] = os.environ) -> None:
        super().__init__(parent)
        self.sections: list[Section] = []
        self.needs_restart: list[str] = []
        self._api = api
        self._environ = frozenset(environ)
        self._models: list[ModelInfo] = []
        self._files: list[ModelFileInfo] = []
        self._loading: Together | None = None
        self._stopping: QProcess | None = None

    @property
    def is_restarting(self) -> bool:
        """Whether the backend is being ended to start anew."""
        return self._stopping is not None

    def load(self) -> None:
        """Ask for everything that the dialog shows."""
        if self._loading is not None:
            return
        paths = ("/v1/settings", "/v1/status", "/v1/model-files")
        self._loading = Together([self._api.request("GET", path) for path in paths], self)
        self._loading.done.connect(self._on_loaded)
        self._loading.failed.connect(self._on_failed)

    def suggestions(self, name: str) -> list[str]:
        """What is known to fit an option of free text."""
        if (role := _MODEL_ROLES.get(name)) is not None:
            return ["auto", *(model["id"] for model in self._models if role in model["roles"])]
        if name == "engine.model_file":
            return ["", *(file["name"] for file in self._files if file["readable"])]
        return []

    def put(self, values: dict[str, Any]) -> None:
        """Store options by their names, all or none."""
        _Change(self._api.request("PUT", "/v1/settings", {"values": values}), next(iter(values)), self)

    def take(self, name: str, view: SettingsView) -> None:
        """As they are stored now."""
        self._take_view(view)
        self.stored.emit(name)

    def refuse(self, name: str, error: HearthError) -> None:
        """Nothing was stored."""
        self.refused.emit(schema.named_in(error.detail) or name, error)

    def restart(self) -> None:
        """End the backend in good order and have it started again, with the changes."""
        if self._stopping is not None:
            return
        self._stopping = process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("HEARTH_HOME", str(self._api.locator.home.root))
        process.setProcessEnvironment(environment)
        process.finished.connect(self._on_stopped)
        process.errorOccurred.connect(self._on_stop_error)
        process.start(STOP[0], list(STOP[1:]))
        self.restarting.emit()

    @Slot(list)
    def _on_loaded(self, answers: list[Any]) -> None:
        self._loading = None
        status: Status = answers[1]
        files: ModelFileList = answers[2]
        self._models, self._files = status["models"], files["files"]
        self._take_view(answers[0])

    def _take_view(self, view: SettingsView) -> None:
        self.sections = schema.sections(view, self._environ)
        locked = {option.name for section in self.sections for option in section.options if option.locked_by}
        self.needs_restart = [name for name in view["needs_restart"] if name not in locked]
        self.changed.emit()

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        self._loading = None
        self.failed.emit(error)

    @Slot(int, QProcess.ExitStatus)
    def _on_stopped(self, code: int, _status: QProcess.ExitStatus) -> None:
        if self._stopping is None:
            return
        self._stopping.deleteLater()
        self._stopping = None
        if code != 0:
            self.failed.emit(BackendUnavailable("Hearth did not end.", "Try `hearth down` in a terminal."))
            return
        self.load()  # which has it started

    @Slot(QProcess.ProcessError)
    def _on_stop_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._on_stopped(1, QProcess.ExitStatus.CrashExit)


class _Change(QObject):
    """One change on its way."""

    def __init__(self, reply: Reply, name: str, model: SettingsModel) -> None:
        super().__init__(model)
        self._name = name
        self._model = model
        reply.done.connect(self._on_done)
        reply.failed.connect(self._on_failed)

    @Slot(object)
    def _on_done(self, view: SettingsView) -> None:
        self._model.take(self._name, view)
        self.deleteLater()

    @Slot(object)
    def _on_failed(self, error: HearthError) -> None:
        self._model.refuse(self._name, error)
        self.deleteLater()
