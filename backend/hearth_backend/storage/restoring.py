"""A home's files replaced by a backup's: all of them or none, whenever the machine or the program is stopped.

    data/restoring/files/    what the backup holds, whole and checked
    data/restoring/ready     written last: from now on the change is made, and finished by whoever comes next

What stood there before is moved to data/backups/replaced/<time>/, where it stays as long as a backup.
"""

import json
import shutil
from pathlib import Path
from typing import Final

from hearth_backend.storage.disk import settle, write_whole, written
from hearth_backend.storage.manifest import Manifest
from hearth_backend.storage.snapshots import Snapshots
from hearth_shared.paths import Home

_BESIDE: Final = ("-wal", "-shm")


class Restoring:
    """Of one home. Its databases may be in use when it begins; when it finishes, nothing may have them open."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._folder = home.data / "restoring"
        self._files = self._folder / "files"
        self._ready = self._folder / "ready"

    def begin(self, snapshots: Snapshots, id: str, stamp: str) -> Manifest:
        """Unpack and check a backup, beside everything else. Raises the HearthError of what is wrong with it."""
        self._drop()
        with written(self._home.data):
            self._files.mkdir(mode=0o700, parents=True)
        try:
            one = snapshots.unpack(id, self._files)
        except BaseException:
            self._drop()
            raise
        names = [filed.name for filed in one.files]
        write_whole(self._ready, json.dumps({"names": names, "stamp": stamp}).encode())
        return one

    def finish(self) -> Path | None:
        """Make the change that was begun; where the files from before are now, or None when there was nothing to do."""
        if not self._ready.exists():
            self._drop()
            return None
        said = json.loads(self._ready.read_bytes())
        replaced = self._home.data / "backups" / "replaced" / str(said["stamp"])
        with written(self._home.data):
            for name in said["names"]:
                self._exchange(name, replaced)
            self._put_aside(self._home.data / "index", replaced)  # it is made anew from what was restored
            settle(self._home.data)
            settle(self._home.root)
        self._drop()
        return replaced

    def _exchange(self, name: str, replaced: Path) -> None:
        fresh, place = self._files / name, self._home.root / name
        if not fresh.exists():
            return  # done, before somebody stopped us
        for suffix in _BESIDE:  # before the database itself: a log beside another one's file would be read into it
            self._put_aside(place.with_name(place.name + suffix), replaced)
        self._put_aside(place, replaced)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.replace(place)

    def _put_aside(self, path: Path, replaced: Path) -> None:
        if not path.exists():
            return
        target = replaced / path.relative_to(self._home.root)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not target.exists():
            path.rename(target)

    def _drop(self) -> None:
        self._ready.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)
