"""The Python environment of a checkout: made from a lock file, whole or not at all.

Its stamp is taken away before any change and written after the last one. An environment without the right stamp was
interrupted or is older than its lock file, and is made anew; what was downloaded for it is still in uv's cache.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import cast

from hearth_setup.failure import SetupFailed
from hearth_setup.uv import Uv


class Kind(Enum):
    """What an environment is for; each holds the ones before it."""

    RUN = "requirements.lock"
    DESKTOP = "requirements-desktop.lock"
    DEV = "requirements-dev.lock"

    @property
    def locks(self) -> tuple[str, ...]:
        """The lock files that its stamp names: its own, and that of what everybody has."""
        return tuple(dict.fromkeys((Kind.RUN.value, self.value)))


class Work(Enum):
    """What there is to do until an environment is as wanted."""

    NOTHING = 0
    PROJECT = 1
    PACKAGES = 2
    EVERYTHING = 3


Stamp = Mapping[str, str]


def work(present: Stamp, wanted: Stamp) -> Work:
    """Compares two stamps. The tray and the development tools come on top; anything older than its lock file starts
    over."""
    if any(present.get(part) != wanted[part] for part in ("python", Kind.RUN.value)):
        return Work.EVERYTHING
    for lock in (Kind.DESKTOP.value, Kind.DEV.value):
        if lock in wanted and present.get(lock) != wanted[lock]:
            return Work.EVERYTHING if lock in present else Work.PACKAGES
    return Work.NOTHING if present.get("project") == wanted["project"] else Work.PROJECT


@dataclass(frozen=True, slots=True)
class Environment:
    """`.venv` below `root`."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def uv(self) -> Uv:
        return Uv(self.root / ".cache" / "uv", self.root / "packaging" / "requirements-uv.lock")

    @property
    def _stamp(self) -> Path:
        return self.folder / "hearth-stamp.json"

    def work(self, kind: Kind) -> Work:
        """What is left to do."""
        return work(self._present(), self._wanted(kind))

    def make(self, kind: Kind, tell: Callable[[str], None]) -> float:
        """Does the work and gives the megabytes downloaded.

        Raises SetupFailed; interrupted, it leaves an environment that the next call makes anew.
        """
        todo = self.work(kind)
        megabytes = 0.0
        if todo is Work.NOTHING:
            return megabytes
        kept: Stamp = {} if todo is Work.EVERYTHING else self._present()
        self._stamp.unlink(missing_ok=True)
        if todo is Work.EVERYTHING:
            self._make_folder()
        if todo.value >= Work.PACKAGES.value:
            locked = ("--no-deps", "--require-hashes", "-r", str(self.root / kind.value))
            download = self.uv.run(("pip", "install", "--python", str(self.python), *locked), self.root, tell)
            megabytes = download.total
        tell("Hearth itself")
        build = ("--build-constraints", str(self.root / "packaging" / "requirements-build.lock"))
        project = ("--no-deps", *build, "--editable", str(self.root))
        self.uv.run(("pip", "install", "--python", str(self.python), *project), self.root, tell)
        self._stamp.write_text(json.dumps({**kept, **self._wanted(kind)}), "utf-8")
        return megabytes

    def _make_folder(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        base = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
        command = (str(base), "-m", "venv", "--without-pip", str(self.folder))
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SetupFailed(
                f"The environment {self.folder} could not be made: {done.stderr.strip() or done.stdout.strip()}",
                "Make that folder writable and see that the disk has 1 GB free, then run it again.",
            )

    def _present(self) -> Stamp:
        try:
            return cast("Stamp", json.loads(self._stamp.read_text("utf-8")))
        except (OSError, ValueError):
            return {}

    def _wanted(self, kind: Kind) -> Stamp:
        return {
            # A moved checkout and an upgraded Python both break the scripts inside.
            "python": f"{self.python} -> {self.python.resolve()}" if self.python.exists() else "",
            "project": _digest((self.root / "pyproject.toml").read_bytes()),
            **{lock: _digest((self.root / lock).read_bytes()) for lock in kind.locks},
        }


def packages_in(lock: str) -> int:
    """How many packages a lock file names."""
    return sum(1 for line in lock.splitlines() if "==" in line and not line.startswith((" ", "#")))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
