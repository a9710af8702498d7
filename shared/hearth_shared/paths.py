"""Where everything of Hearth lives. Standard library only: the hot start path of every door."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

from hearth_shared.errors import HomeError

_LONGEST_SOCKET = 100


class Home(NamedTuple):  # not a dataclass: importing dataclasses costs every door 8 ms
    """One person's Hearth. Nothing is created until `make` is called."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config.toml"

    @property
    def profiles(self) -> Path:
        """What agents are told and may use, a file each."""
        return self.root / "profiles"

    @property
    def policy(self) -> Path:
        """Rules about what agents may do unasked, written by the person."""
        return self.root / "policy.toml"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def database(self) -> Path:
        return self.data / "hearth.db"

    @property
    def telemetry(self) -> Path:
        return self.data / "telemetry.db"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def engines(self) -> Path:
        """Builds of llama.cpp that were added, a folder each."""
        return self.root / "engine"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def endpoint(self) -> Path:
        """What the running backend says of itself: pid, version, socket, port."""
        return self.run / "backend.json"

    @property
    def startup_error(self) -> Path:
        """Why the last start failed, as a problem; absent after one that did not."""
        return self.run / "startup-error.json"

    @property
    def lock(self) -> Path:
        return self.run / "backend.lock"

    @property
    def socket(self) -> Path:
        """The Unix socket; a path too long for the system becomes a short private one in the temporary folder."""
        path = self.run / "api.sock"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET:
            return path
        import tempfile  # both only for the rare long path: 5 ms that no other start pays
        from hashlib import sha256

        short = sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"hearth-{os.getuid()}" / short / "api.sock"

    @property
    def tray(self) -> Path:
        """The running tray's Unix socket, beside the backend's."""
        return self.socket.with_name("tray.sock")

    @property
    def bridge(self) -> Path:
        """Where the running bridge listens: pid and port."""
        return self.run / "bridge.json"

    def key(self, door: str) -> Path:
        """A first-party door's key; written at each start of the backend, 0600."""
        return self.run / f"{door}.key"

    def make(self) -> None:
        """Create the folders, private to this user. Raises HomeError with the reason."""
        try:
            for folder in (self.root, self.data, self.models, self.logs, self.run, self.socket.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if folder.stat().st_uid != os.getuid():
                    raise HomeError(f"{folder} belongs to another user.", "Set HEARTH_HOME to a folder of your own.")
            for folder in (self.run, self.data, self.socket.parent):
                folder.chmod(0o700)
                if not os.access(folder, os.W_OK):
                    raise PermissionError(13, "Permission denied", str(folder))
        except OSError as error:
            raise HomeError(
                f"Hearth cannot use its folder {self.root}: {error.strerror or error}.",
                "Make it writable, or set HEARTH_HOME to a folder of your own.",
            ) from error


def find_home() -> Home:
    """HEARTH_HOME, or the platform's place for a program's data."""
    if chosen := os.environ.get("HEARTH_HOME"):
        return Home(Path(chosen).expanduser().absolute())
    try:
        user = Path.home()
    except RuntimeError as error:
        raise HomeError("This user has no home folder.", "Set HEARTH_HOME to a folder of your own.") from error
    if sys.platform == "darwin":
        return Home(user / "Library" / "Application Support" / "hearth")
    if sys.platform == "win32":
        return Home(Path(os.environ.get("LOCALAPPDATA", user / "AppData" / "Local")) / "hearth")
    base = os.environ.get("XDG_DATA_HOME", "")
    return Home((Path(base) if base.startswith("/") else user / ".local" / "share") / "hearth")
