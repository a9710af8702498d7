"""A whole folder as it stands, to be compared with how it stands after a command, and put back."""

import os
import stat
from collections.abc import Mapping, Sequence
from typing import Final

from hearth_backend.tools.beneath import NOTHING, Beneath, State, translated
from hearth_backend.tools.changes import ABSENT, Change, Standing, standing_in
from hearth_shared.display import display
from hearth_shared.errors import Forbidden

MOST_PATHS: Final = 5_000
MOST_BYTES: Final = 48 * 1024 * 1024
Snapshot = Mapping[str, Standing]


def taken(folder: Beneath, below: str) -> Snapshot | None:
    """Everything under a folder that no tool is kept out of, by its path from the granted one; None where that is too
    much to keep."""
    found: dict[str, Standing] = {}
    size = 0
    try:
        with folder.opened(below, os.O_RDONLY | os.O_DIRECTORY, follow=False) as fd:
            for place, folders, files, here in os.fwalk(".", dir_fd=fd, follow_symlinks=False):
                folders[:] = [name for name in folders if not folder.is_closed(os.path.join(below, place, name))]
                for name in (*folders, *files):
                    info = os.stat(name, dir_fd=here, follow_symlinks=False)
                    size += info.st_size if stat.S_ISREG(info.st_mode) else 0
                    if len(found) >= MOST_PATHS or size > MOST_BYTES:
                        return None
                    path = os.path.normpath(os.path.join(below, place, name))
                    _check_names(path, info)
                    if stat.S_IFMT(info.st_mode) in (stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR):
                        found[path] = standing_in(here, name)
    except OSError as error:
        raise translated(error, below) from error
    return found


def differences(before: Snapshot, after: Snapshot) -> Sequence[Change]:
    """What changed from one to the other, in the order of paths."""
    return [
        Change(path, before.get(path, ABSENT), _state(after.get(path, ABSENT)))
        for path in sorted({*before, *after})
        if not _alike(before.get(path, ABSENT), after.get(path, ABSENT))
    ]


def _alike(one: Standing, other: Standing) -> bool:
    return (one.kind, one.content) == (other.kind, other.content) and (one.mode == other.mode or one.kind == "link")


def _state(standing: Standing) -> State:
    if standing == ABSENT:
        return NOTHING
    return State(standing.kind, mode=standing.mode, size=len(standing.content), sha256=standing.sha256)


def _check_names(path: str, info: os.stat_result) -> None:
    """A command would write through a second name to what lies elsewhere. git links its objects, which never change."""
    linked = stat.S_ISREG(info.st_mode) and info.st_nlink > 1
    if linked and "/.git/objects/" not in f"/{path}":
        raise Forbidden(
            f"{display(path, keep='')} has a second name elsewhere (a hard link), which a command could write to.",
            "Copy that file, or take another folder.",
        )
