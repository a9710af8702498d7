"""Hearth's folder: writable, private, with room left; its settings and its log."""

import asyncio
import os
import shutil
import stat
from pathlib import Path

from hearth_shared import settings
from hearth_shared.errors import SettingsError
from hearth_shared.paths import Home
from hearth_shared.protocol.status import Check

_GIB = 1 << 30
_PROBE = b"hearth"


async def folders(home: Home) -> Check:
    """Write, read back and delete a file in each folder, and see that nobody else can enter."""
    return await asyncio.to_thread(_folders, home)


async def disk(folder: Path, *, warn_below: int = 2 * _GIB, fault_below: int = _GIB // 4) -> Check:
    """How much room is left where Hearth keeps its data."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Check(name="disk", state="fault", detail=f"{folder} cannot be looked at: {error.strerror}.", fix=_OWN)
    detail = f"{free / _GIB:.1f} GB free in {folder}."
    if free < fault_below:
        return Check(name="disk", state="fault", detail=detail, fix="Free some space; nothing new can be kept soon.")
    if free < warn_below:
        return Check(name="disk", state="warn", detail=detail, fix="Free some space before it runs out.")
    return Check(name="disk", state="ok", detail=detail)


async def config(path: Path) -> Check:
    """Read config.toml and the environment again, as the next start will."""
    return await asyncio.to_thread(_config, path)


async def logs(folder: Path) -> Check:
    """Write into the log folder, and say how large it is."""
    return await asyncio.to_thread(_logs, folder)


def _folders(home: Home) -> Check:
    for folder in (home.data, home.models, home.logs, home.run):
        if trouble := _unwritable(folder):
            detail = f"{folder} cannot be used: {trouble}."
            return Check(name="home", state="fault", detail=detail, fix=_OWN)
    open_ones = [folder for folder in (home.data, home.run, home.socket.parent) if _open_to_others(folder)]
    if open_ones:
        names = " ".join(str(folder) for folder in open_ones)
        return Check(name="home", state="fault", detail=f"Others can enter {names}.", fix=f"Run `chmod 700 {names}`.")
    return Check(name="home", state="ok", detail=f"{home.root} is writable and private.")


def _config(path: Path) -> Check:
    try:
        settings.load(path)
    except SettingsError as error:
        return Check(name="config", state="fault", detail=error.detail, fix=error.fix)
    where = f"{path} and the environment hold only options that Hearth knows." if path.exists() else _DEFAULTS
    return Check(name="config", state="ok", detail=where)


def _logs(folder: Path) -> Check:
    if trouble := _unwritable(folder):
        return Check(name="logs", state="fault", detail=f"The log cannot be written: {trouble}.", fix=_OWN)
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    return Check(name="logs", state="ok", detail=f"{size / 1e6:.1f} MB in {folder}.")


def _unwritable(folder: Path) -> str:
    """Why a file could not be written, read back and deleted there; empty when it could."""
    probe = folder / f".doctor-{os.getpid()}"
    try:
        with probe.open("wb") as file:
            file.write(_PROBE)
            file.flush()
            os.fsync(file.fileno())
        same = probe.read_bytes() == _PROBE
        probe.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return "" if same else "it gives back something else than was written"


def _open_to_others(folder: Path) -> bool:
    try:
        found = folder.stat()
    except OSError:
        return False  # absent: nobody can enter it
    return bool(stat.S_IMODE(found.st_mode) & 0o077)


_OWN = "Make it writable for you, or set HEARTH_HOME to a folder of your own."
_DEFAULTS = "There is no config.toml; every option has its default or comes from the environment."
