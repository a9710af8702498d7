"""What a call changes in a folder: what stood at each path before, and what stands there after. Kept, so that it can be
taken back."""

import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from hearth_backend.tools.beneath import NOTHING, Beneath, State, state_in, translated
from hearth_shared.errors import NotFound

Kind = Literal["nothing", "file", "link", "folder"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands at a path, complete: `content` is a file's bytes or a link's target."""

    kind: Kind = "nothing"
    mode: int = 0
    content: bytes = b""
    mtime_ns: int = 0

    @property
    def sha256(self) -> str:
        """Of the content; empty for what has none."""
        return hashlib.sha256(self.content).hexdigest() if self.kind in ("file", "link") else ""

    def same(self, state: State) -> bool:
        """Whether a state is this, wherever it is kept; a mode of 0 is one that nobody knew beforehand."""
        return (self.kind, self.sha256) == (state.kind, state.sha256) and (
            self.kind in ("nothing", "link") or state.mode in (0, self.mode)
        )


ABSENT: Final = Standing()


@dataclass(frozen=True, slots=True)
class Change:
    """One path. `after` may have its content left out: its `sha256` is what counts."""

    path: str
    before: Standing
    after: State


def standing(folder: Beneath, name: str) -> Standing:
    """What stands there now."""
    try:
        with folder.parent(name) as (parent, last):
            return standing_in(parent, last)
    except NotFound:
        return ABSENT


def standing_in(parent: int, last: str) -> Standing:
    """What stands in a folder under a name."""
    try:
        found = os.stat(last, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            return Standing("link", 0, os.fsencode(os.readlink(last, dir_fd=parent)), found.st_mtime_ns)
        if stat.S_ISDIR(found.st_mode):
            return Standing("folder", stat.S_IMODE(found.st_mode), b"", found.st_mtime_ns)
        fd = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
        with open(fd, "rb") as file:
            return Standing("file", stat.S_IMODE(found.st_mode), file.read(), found.st_mtime_ns)
    except FileNotFoundError:
        return ABSENT
    except OSError as error:
        raise translated(error, last) from error


def put_back(folder: Beneath, path: str, before: Standing) -> None:
    """Make what stood there stand there again. The folder it stands in is there by then."""
    with folder.parent(path) as (parent, last):
        try:
            _clear(parent, last, before)
            _put(parent, last, before)
        except OSError as error:
            raise translated(error, path) from error


def _clear(parent: int, last: str, before: Standing) -> None:
    now = state_in(parent, last)
    if now == NOTHING or (now.kind == before.kind and now.kind in ("folder", "file")):
        return
    if now.kind == "folder":
        os.rmdir(last, dir_fd=parent)
    else:
        os.unlink(last, dir_fd=parent)


def _put(parent: int, last: str, before: Standing) -> None:
    match before.kind:
        case "nothing":
            return
        case "link":
            os.symlink(os.fsdecode(before.content), last, dir_fd=parent)
        case "folder":
            with suppress(FileExistsError):
                os.mkdir(last, before.mode, dir_fd=parent)
            _as_it_was(parent, last, before)
        case "file":
            _put_file(parent, last, before)
    if before.kind == "link" and os.utime in os.supports_follow_symlinks:
        os.utime(last, ns=(before.mtime_ns, before.mtime_ns), dir_fd=parent, follow_symlinks=False)


def _put_file(parent: int, last: str, before: Standing) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with suppress(OSError):  # a file that its owner may not write can still be put back
        os.chmod(last, before.mode | 0o200, dir_fd=parent)
    fd = os.open(last, flags, 0o600, dir_fd=parent)
    with open(fd, "wb") as file:
        file.truncate(0)
        file.write(before.content)
        file.flush()
        os.fchmod(file.fileno(), before.mode)
        os.fsync(file.fileno())
    os.utime(last, ns=(before.mtime_ns, before.mtime_ns), dir_fd=parent, follow_symlinks=False)


def _as_it_was(parent: int, last: str, before: Standing) -> None:
    fd = os.open(last, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.fchmod(fd, before.mode)
    finally:
        os.close(fd)
