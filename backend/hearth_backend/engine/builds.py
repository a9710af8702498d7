"""The builds of llama.cpp on this machine, beside each other: the one installed with Hearth, and those added to it.

An added one is a folder `engine/<backend>-<version>/lib` of Hearth's home. One binding serves them all, so a build of
another version than the binding's is not used.
"""

import importlib.metadata
import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hearth_shared.hardware import Backend

BACKENDS: Final[tuple[Backend, ...]] = ("cuda", "rocm", "metal", "vulkan", "cpu")
"""In the order in which they are tried."""
BY_NAME: Final[dict[str, Backend]] = {name: name for name in BACKENDS}
_MARKS: Final[dict[Backend, str]] = {"cuda": "cuda", "rocm": "hip", "metal": "metal", "vulkan": "vulkan"}
DISTRIBUTION: Final = "llama-cpp-python"


@dataclass(frozen=True, slots=True)
class Build:
    """One build: its libraries lie in `libraries`. `current` is whether it is of the binding's version."""

    backend: Backend
    version: str
    libraries: Path
    added: bool
    current: bool = True


class Builds:
    """What is there; looked at anew each time."""

    def __init__(self, folder: Path, installed: Callable[[], Path | None] | None = None, version: str = "") -> None:
        self.folder = folder
        self._installed = installed or installed_libraries
        self._version = version

    @property
    def version(self) -> str:
        """The binding's; empty when it is not installed."""
        return self._version or binding_version()

    def all(self) -> list[Build]:
        """In the order in which they are tried; those of another version last."""
        version = self.version
        found = [build for path in self._folders() if (build := _added(path, version)) is not None]
        if (libraries := self._installed()) is not None:
            found.append(Build(backend_of(libraries), version, libraries, added=False))
        return sorted(found, key=lambda build: (not build.current, BACKENDS.index(build.backend), not build.added))

    def candidates(self, wanted: str) -> list[Build]:
        """Those to try: of the wanted backend, or all for "auto". The processor's is last, whatever is wanted."""
        usable = [build for build in self.all() if build.current]
        first = [build for build in usable if wanted in ("auto", build.backend)]
        return first + [build for build in usable if build.backend == "cpu" and build not in first]

    def place_for(self, backend: Backend) -> Path:
        """Where a build of this backend goes."""
        return self.folder / f"{backend}-{self.version}"

    def remove(self, backend: Backend) -> None:
        """Make room for another one."""
        shutil.rmtree(self.place_for(backend), ignore_errors=True)

    def _folders(self) -> list[Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if path.is_dir())
        except OSError:
            return []


def _added(path: Path, version: str) -> Build | None:
    name, _, of = path.name.partition("-")
    backend = BY_NAME.get(name)
    if backend is None or not of or not has_llama(path / "lib"):
        return None
    return Build(backend, of, path / "lib", added=True, current=of == version)


def has_llama(folder: Path) -> bool:
    """Whether llama.cpp's library lies there."""
    return any((folder / name).exists() for name in ("libllama.so", "libllama.dylib", "llama.dll"))


def backend_of(libraries: Path) -> Backend:
    """What a build can use besides the processor, by the names of its libraries."""
    names = " ".join(path.name for path in libraries.glob("*ggml-*"))
    found: list[Backend] = [backend for backend, mark in _MARKS.items() if f"ggml-{mark}" in names]
    return found[0] if found else "cpu"


def installed_libraries() -> Path | None:
    """Where the installed binding keeps its libraries; it is not imported."""
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "lib"
    return folder if has_llama(folder) else None


def binding_version() -> str:
    """The version of the installed binding; empty when there is none."""
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return ""
