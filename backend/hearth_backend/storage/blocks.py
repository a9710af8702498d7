"""Blocks of backups by the sha256 of their bytes: what two backups have in common is stored once.

    <folder>/ab/ab12…    one block, compressed

A block is written beside its place and moved there, so there is no half of one; `flush` is when they are on disk.
"""

import contextlib
import hashlib
import zlib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from hearth_backend.storage.disk import settle, written
from hearth_shared.errors import StorageFault

SIZE: Final = 64 << 10
_LEVEL: Final = 1  # a database compresses to a third with it; more would cost seconds of CPU for each gigabyte


class Blocks:
    """Those of one folder. One program writes there at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fresh: set[Path] = set()
        self._settled: frozenset[str] = frozenset()

    def begin(self, settled: Iterable[str]) -> None:
        """These are on disk, as `flush` left them. Any other may be what a power cut left of an attempt."""
        self._settled = frozenset(settled)

    def put(self, data: bytes) -> str:
        """Its name; it is written if there is none of it on disk for sure."""
        name = hashlib.sha256(data).hexdigest()
        place = self._place(name)
        if not (name in self._settled and place.exists()) and place not in self._fresh:
            with written(place.parent):
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                draft = place.with_suffix(".new")
                draft.write_bytes(zlib.compress(data, _LEVEL))
                draft.replace(place)
            self._fresh.add(place)
        return name

    def get(self, name: str) -> bytes:
        """Its bytes. Raises StorageFault when they are not what was put."""
        try:
            data = zlib.decompress(self._place(name).read_bytes())
        except (OSError, zlib.error) as error:
            raise _damaged(name) from error
        if hashlib.sha256(data).hexdigest() != name:
            raise _damaged(name)
        return data

    def flush(self) -> None:
        """Returns when all that was put is on disk."""
        with written(self._folder):
            for place in (*self._fresh, *{place.parent for place in self._fresh}):
                settle(place)
        self._fresh.clear()

    def sweep(self, kept: Collection[str]) -> int:
        """Remove every block but those; how many went."""
        gone = 0
        for place in self._folder.glob("??/*"):
            if place.name not in kept:
                with contextlib.suppress(OSError):
                    place.unlink()
                    gone += 1
        return gone

    def stored_bytes(self) -> int:
        """What they take on disk."""
        return sum(place.stat().st_size for place in self._folder.glob("??/*"))

    def _place(self, name: str) -> Path:
        return self._folder / name[:2] / name


def _damaged(name: str) -> StorageFault:
    return StorageFault(f"A part of this backup is damaged or missing ({name[:12]}…).", "Restore another backup.")
