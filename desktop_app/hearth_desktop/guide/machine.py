"""What this machine has, read from files that the system keeps: no program is started for it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from hearth_shared.offer import memory_here

_NVIDIA: Final = Path("/proc/driver/nvidia/gpus")
_CARDS: Final = Path("/sys/class/drm")
_VENDORS: Final = {"0x1002": "AMD", "0x10de": "NVIDIA"}
_EDITORS: Final = {
    "code": "VS Code",
    "codium": "VSCodium",
    "nvim": "Neovim",
    "hx": "Helix",
    "helix": "Helix",
    "emacs": "Emacs",
}
_GB: Final = 1_000_000_000


class Machine(NamedTuple):
    """Memory in bytes (0 when the system does not tell), graphics cards and editors by name."""

    memory: int
    gpus: tuple[str, ...]
    editors: tuple[str, ...]


def look(nvidia: Path = _NVIDIA, cards: Path = _CARDS, find: Callable[[str], str | None] = shutil.which) -> Machine:
    """Read now."""
    editors = dict.fromkeys(name for program, name in _EDITORS.items() if find(program))
    return Machine(memory_here(), gpus(nvidia, cards), tuple(editors))


def gpus(nvidia: Path, cards: Path) -> tuple[str, ...]:
    """Those that can speed up a model; NVIDIA's driver knows its cards by their full names."""
    named = tuple(filter(None, (_model(path / "information") for path in _inside(nvidia))))
    others = tuple(filter(None, (_card(path / "device", bool(named)) for path in _inside(cards))))
    return (*named, *others)


def size(count: int) -> str:
    """Bytes for a person."""
    return f"{count / _GB:.1f} GB" if count < 10 * _GB else f"{round(count / _GB)} GB"


def _model(path: Path) -> str:
    for line in _text(path).splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Model":
            return value.strip()
    return ""


def _card(device: Path, nvidia_is_known: bool) -> str:
    vendor = _VENDORS.get(_text(device / "vendor").strip(), "")
    if not vendor or (vendor == "NVIDIA" and nvidia_is_known):
        return ""
    memory = _text(device / "mem_info_vram_total").strip()
    return f"{vendor} graphics card, {size(int(memory))}" if memory.isdigit() else f"{vendor} graphics card"


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder / name for name in os.listdir(folder) if "-" not in name)
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
