"""What this machine has and what it lacks: the list of needs, the probes, and the one line that mends it."""

import ctypes
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Need:
    """A package of the system, by Debian's name, and what Hearth wants it for."""

    section: str
    package: str
    why: str


class Apt(Enum):
    """How packages may be installed here."""

    ROOT = "as root"
    SUDO = "through sudo, without a password"
    ASK = "by the person, who has sudo"
    TELL = "by somebody who may"
    NONE = "not with apt"


_OPTIONAL = ("engine", "desktop", "tools", "vulkan")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about the missing packages: commands to run now, or a line for the person."""

    missing: tuple[Need, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    line: str = ""

    @property
    def blocks(self) -> bool:
        """Whether nothing can go on: a missing compiler, sandbox, or what a window needs, does not stop the rest."""
        return not self.commands and any(need.section not in _OPTIONAL for need in self.missing)


def read_needs(text: str) -> tuple[Need, ...]:
    """The needs in apt-packages.txt: section, package, why."""
    rows = (line.split(maxsplit=2) for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return tuple(Need(*row) for row in rows)


def plan(needs: Sequence[Need], has: Callable[[str], bool], apt: Apt) -> Plan:
    """Installs what `has` denies where that is allowed, and words the line where it is not."""
    missing = tuple(need for need in needs if not has(need.package))
    if not missing:
        return Plan()
    install = "apt-get install -y --no-install-recommends " + " ".join(need.package for need in missing)
    prefix = {Apt.ROOT: (), Apt.SUDO: ("sudo", "-n")}.get(apt)
    if prefix is None:
        return Plan(missing, line=_line(missing, install, apt))
    update = (*prefix, "apt-get", "update")
    return Plan(missing, (update, (*prefix, *install.split(), "-o", "APT::Status-Fd=1")), " ".join((*prefix, install)))


def _line(missing: Sequence[Need], install: str, apt: Apt) -> str:
    if apt is Apt.ASK:
        return f"sudo apt-get update && sudo {install}"
    if apt is Apt.TELL:
        return f"su -c 'apt-get update && {install}'"
    return "Install what your system calls: " + ", ".join(need.package for need in missing)


def has_display(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether a window could be shown to somebody."""
    return platform == "darwin" or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def apt_here() -> Apt:
    """Tries what this user may do; asks for no password."""
    if shutil.which("apt-get") is None:
        return Apt.NONE
    if os.geteuid() == 0:
        return Apt.ROOT
    if shutil.which("sudo") is None:
        return Apt.TELL
    quiet = subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return Apt.SUDO if quiet.returncode == 0 else Apt.ASK


def has_package(name: str) -> bool:
    """Whether the thing itself is there, whoever put it there."""
    return _PROBES.get(name, lambda: shutil.which(name) is not None)()


def install(commands: Sequence[Sequence[str]], log: Path, tell: Callable[[str], None]) -> bool:
    """Runs apt; a list that cannot be refreshed is no failure as long as the packages come."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as out:
        return [_apt(command, out, tell) for command in commands][-1]


def _apt(command: Sequence[str], out: TextIO, tell: Callable[[str], None]) -> bool:
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", env={**os.environ, **_UNATTENDED},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        progress = AptProgress()
        for line in process.stdout:
            if said := progress.read(line):
                tell(said)
            else:
                out.write(line)
    return process.returncode == 0


@dataclass(slots=True)
class AptProgress:
    """How far apt is, read from what it says."""

    size: str = ""

    def read(self, line: str) -> str:
        """What to show after this line; empty when it says nothing about that."""
        if size := _SIZE.match(line):
            self.size = f" of {size[1]}"
        status = _STATUS.match(line)
        if status is None:
            return ""
        if status[1] == "pm":
            return f"installing {float(status[2]):.0f} %"
        left = f", {status[3]} s left" if status[3] else ""
        return f"downloading {float(status[2]):.0f} %{self.size}{left}"


def _makes_environments() -> bool:
    return all(find_spec(module) is not None for module in ("venv", "ensurepip"))


def _compiles() -> bool:
    return _any_on_path(("c++", "g++", "clang++"))


def _knows_authorities() -> bool:
    if sys.platform == "darwin":  # its own keychain answers
        return True
    paths = ssl.get_default_verify_paths()
    chosen = [os.environ.get(paths.openssl_cafile_env), paths.cafile]
    folder = Path(os.environ.get(paths.openssl_capath_env) or paths.openssl_capath)
    return any(file and Path(file).exists() for file in chosen) or (folder.is_dir() and any(folder.iterdir()))


def _has_library(name: str) -> bool:
    """Whether the system's loader finds it."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _any_on_path(names: Collection[str]) -> bool:
    return any(shutil.which(name) for name in names)


_UNATTENDED = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
_SIZE = re.compile(r"Need to get (?:\S+/)?([\d.,]+ [kMG]?B)(?:/\S+ \S+)? of archives")
_STATUS = re.compile(r"(dl|pm)status:[^:]*:([\d.]+):(?:.*\((?:.*?)(\d+)s remaining\))?")
_PROBES: Mapping[str, Callable[[], bool]] = {
    "python3-venv": _makes_environments,
    "ca-certificates": _knows_authorities,
    "g++": _compiles,
    "libvulkan1": lambda: _has_library("libvulkan.so.1"),
    "mesa-vulkan-drivers": lambda: any(Path("/usr/share/vulkan/icd.d").glob("lvp_icd.*.json")),
    "bubblewrap": lambda: shutil.which("bwrap") is not None,
    "gnome-keyring": lambda: shutil.which("gnome-keyring-daemon") is not None,
}
