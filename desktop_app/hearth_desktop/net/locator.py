"""Where the backend is now, and how one comes to be there when there is none; nothing here blocks the GUI.

A backend that was ended in good order took its `backend.json` away: it is not started again until the person wants
something. One that died left the file: it is started again, less and less eagerly, and not for ever.
"""

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence

from PySide6.QtCore import QFileSystemWatcher, QObject, QProcess, QProcessEnvironment, QTimer, Signal, Slot

from hearth_shared.discovery import Address, SocketDoor, is_older, read_endpoint
from hearth_shared.errors import BackendUnavailable, HearthError, from_problem
from hearth_shared.paths import Home

STARTER = (sys.executable, "-I", "-m", "hearth_desktop.net.starter")
DOOR = "tray"
_MOST_DEATHS = 5
_WITHIN_S = 60.0
_FIRST_PAUSE_MS = 250


class Locator(QObject):
    """Finds the backend of one home, and has it started in a process that outlives nothing of ours."""

    found = Signal()
    """There is one: `look` gives its address."""
    starting = Signal()
    """One is being started; `found` or `failed` follows."""
    failed = Signal(object)
    """A HearthError: it could not be started."""

    def __init__(
        self,
        home: Home,
        parent: QObject | None = None,
        *,
        command: Sequence[str] = STARTER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self.home = home
        self._command = tuple(command)
        self._clock = clock
        self._process: QProcess | None = None
        self._watcher: QFileSystemWatcher | None = None
        self._deaths: deque[float] = deque(maxlen=_MOST_DEATHS)
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self.start)

    @property
    def is_starting(self) -> bool:
        """Whether `found` or `failed` is still to come."""
        return self._process is not None or self._pause.isActive()

    def look(self) -> Address | None:
        """The address of the backend that is ready now: two small files are read, nothing waits."""
        endpoint = read_endpoint(self.home)
        if endpoint is None or is_older(endpoint.version):
            return None
        try:
            return SocketDoor(self.home, DOOR, start=False).address()
        except BackendUnavailable:  # it ended, or its key is about to be written
            return None

    @Slot()
    def start(self) -> None:
        """Have a backend: an older one is replaced. Answers with `found` or `failed`."""
        self._pause.stop()
        if self._process is not None:
            return
        self._process = process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("HEARTH_HOME", str(self.home.root))
        process.setProcessEnvironment(environment)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.SeparateChannels)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self.starting.emit()
        process.start(self._command[0], list(self._command[1:]))

    def miss(self) -> None:
        """It does not answer any more: start it again if it died; wait for it if it was ended in good order."""
        if self.is_starting:
            return
        if self.look() is not None:
            self.found.emit()
        elif not self.home.endpoint.exists():
            self._watch()
        elif self._may_start_again():
            self.starting.emit()
            self._pause.start(_FIRST_PAUSE_MS * 2 ** (len(self._deaths) - 1))
        else:
            self._fail(
                BackendUnavailable(
                    f"Hearth ended {_MOST_DEATHS} times within a minute, so it is not started again by itself.",
                    "See why: `hearth doctor`, then try again.",
                )
            )

    def _may_start_again(self) -> bool:
        now = self._clock()
        if len(self._deaths) == _MOST_DEATHS and now - self._deaths[0] < _WITHIN_S:
            return False
        while self._deaths and now - self._deaths[0] >= _WITHIN_S:
            self._deaths.popleft()
        self._deaths.append(now)
        return True

    def _watch(self) -> None:
        """Tell when somebody else starts one: its `backend.json` appears in the folder."""
        if self._watcher is None and self.home.run.is_dir():
            self._watcher = QFileSystemWatcher([str(self.home.run)], self)
            self._watcher.directoryChanged.connect(self._on_folder_changed)
            self._on_folder_changed()  # it may have come while the watch was set up

    def _unwatch(self) -> None:
        if self._watcher is not None:
            self._watcher.deleteLater()
            self._watcher = None

    @Slot()
    def _on_folder_changed(self) -> None:
        if self._watcher is not None and self.look() is not None:
            self._unwatch()
            self.found.emit()

    @Slot(int, QProcess.ExitStatus)
    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        if self._process is None:
            return
        said = bytes(self._process.readAllStandardOutput().data())
        self._forget_process()
        if code == 0 and status == QProcess.ExitStatus.NormalExit:
            self._unwatch()
            self.found.emit()
        else:
            self._fail(_reason(said))

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if self._process is not None and error == QProcess.ProcessError.FailedToStart:
            self._forget_process()
            self._fail(BackendUnavailable("The program that starts Hearth was not found.", "Install Hearth again."))

    def _forget_process(self) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None

    def _fail(self, error: HearthError) -> None:
        self.failed.emit(error)
        self._watch()


def _reason(said: bytes) -> HearthError:
    try:
        problem = json.loads(said)
    except ValueError:
        return BackendUnavailable("Hearth could not be started.", "See why: `hearth doctor`.")
    return from_problem(problem)
