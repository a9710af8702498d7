"""Vulkan's headers, where those of the system are missing or too old to compile llama.cpp: two packages of Debian 13.

They go into a folder of the cache and nowhere into the system. apt fetches them, from the mirror that this machine
uses anyway, and refuses them when their hashes are not those that stand here.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from build_tools import BuildFailed, checked, say


class Package(NamedTuple):
    """A package of Debian's archive: its place below a mirror's address, and its SHA-256."""

    place: str
    sha256: str


PACKAGES = (
    Package(
        "pool/main/v/vulkan-loader/libvulkan-dev_1.4.309.0-1_amd64.deb",  # its headers suit every processor
        "8d329d465e16168afff58b1bd0dd6db46aac2cc3f56054a481b25a04e90b345a",
    ),
    Package(
        "pool/main/s/spirv-headers/spirv-headers_1.6.1+1.4.309.0-1_all.deb",
        "dc18db866d63680351c40ac6b6bece34cb52da64a7799ce1cc4f16f6bff4d064",
    ),
)
NAME = "vulkan-1.4.309"
NEEDED = "LayerSettingEXT"
"""What llama.cpp uses of the headers that older ones lack."""
_APT = Path("/usr/lib/apt/apt-helper")


def are_fit(include: Path) -> bool:
    """Whether llama.cpp can be compiled with the headers of this folder."""
    structures = include / "vulkan" / "vulkan_structs.hpp"
    spirv = include / "spirv" / "unified1" / "spirv.hpp"
    return spirv.exists() and structures.exists() and NEEDED in structures.read_text("utf-8", "replace")


def library_here() -> Path:
    """Vulkan's loader on this system, which the build is linked with and which it needs to run."""
    compiler = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), "c++")
    ask = (compiler, "-print-file-name=libvulkan.so.1")
    said = subprocess.run(ask, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout.strip()
    if not os.path.isabs(said):
        raise BuildFailed("Vulkan's loader is not here. On Debian and Ubuntu: apt-get install libvulkan1")
    return Path(said).resolve()


def mirrors_here() -> Sequence[str]:
    """The addresses of Debian's archive that this machine uses. Raises BuildFailed when there are none."""
    said = ""
    if _APT.exists() and shutil.which("dpkg-deb"):
        ask = ("apt-get", "indextargets", "--format", "$(ORIGIN) $(COMPONENT) $(REPO_URI)")
        said = subprocess.run(ask, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout
    if found := mirrors_in(said.splitlines()):
        return found
    raise BuildFailed(
        "Vulkan's headers are missing, or older than llama.cpp needs (1.3.275). Install those of your system "
        "(libvulkan-dev and spirv-headers) or set VULKAN_SDK to the folder of Vulkan's SDK."
    )


def mirrors_in(lines: Iterable[str]) -> list[str]:
    """The addresses in what apt says of its indexes, each once."""
    rows = (line.split() for line in lines)
    return list(dict.fromkeys(row[2] for row in rows if len(row) == 3 and row[:2] == ["Debian", "main"]))


def _download(package: Package, mirrors: Sequence[str], folder: Path) -> Path:
    path, said = folder / package.place.rpartition("/")[2], ""
    for mirror in mirrors:
        address = f"{mirror.rstrip('/')}/{package.place}"
        command = (str(_APT), "download-file", address, str(path), f"SHA256:{package.sha256}")
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode == 0 and path.exists():
            return path
        said = (done.stdout + done.stderr).strip()
    raise BuildFailed(f"{said}\n{path.name} could not be fetched with its hash. Look at the network, then try again.")


def fetched(
    cache: Path,
    packages: Sequence[Package] = PACKAGES,
    mirrors: Callable[[], Sequence[str]] = mirrors_here,
    library: Callable[[], Path] = library_here,
) -> Path:
    """The folder with the headers, fetched if they are not there yet. Raises BuildFailed."""
    folder = cache / NAME
    if are_fit(folder / "include") and (folder / "lib" / "libvulkan.so").exists():
        return folder
    loader, addresses = library(), mirrors()
    say(f"Vulkan's headers are missing or too old here: fetching those of Debian 13 into {folder} (2 MB)")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as draft:
        for package in packages:
            checked(["dpkg-deb", "-x", str(_download(package, addresses, Path(draft))), draft])
        made = Path(draft, "usr")
        shutil.rmtree(made / "lib", ignore_errors=True)  # a link to a library that this system has not
        (made / "lib").mkdir()
        (made / "lib" / "libvulkan.so").symlink_to(loader)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(made, folder)
    return folder


def environment(around: Mapping[str, str], cache: Path) -> dict[str, str]:
    """The compiler's environment, with a VULKAN_SDK that has what is needed. Raises BuildFailed."""
    if "VULKAN_SDK" in around or are_fit(Path("/usr/include")):
        return dict(around)
    return {**around, "VULKAN_SDK": str(fetched(cache))}
