"""A folder that tools may use: everything in it is opened on file descriptors from the folder's own, never by a path
string that was checked before, so that nothing swapped in between leads out.

Linux has openat2 for it. Elsewhere each component is opened by itself and may not be a link.
"""

import ctypes
import errno
import hashlib
import os
import stat
import struct
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from hearth_shared.display import display
from hearth_shared.errors import BadRequest, Forbidden, HearthError, NotFound, TooLarge

_OPENAT2: Final = 437  # the same number on every architecture
_NO_MAGIC_LINKS, _NO_SYMLINKS, _BENEATH = 2, 4, 8
_WRITES: Final = os.O_WRONLY | os.O_RDWR
LARGEST_FILE: Final = 8 * 1024 * 1024
_O_PATH: Final = getattr(os, "O_PATH", os.O_RDONLY)
_AGAIN: Final = 8


@dataclass(frozen=True, slots=True)
class State:
    """What stands at a path: its identity and content. `inode` is 0 for nothing."""

    kind: str = "nothing"
    device: int = 0
    inode: int = 0
    mode: int = 0
    size: int = 0
    sha256: str = ""

    def described(self) -> dict[str, Any]:
        """As JSON, to be bound to."""
        return {
            "kind": self.kind,
            "device": self.device,
            "inode": self.inode,
            "mode": self.mode,
            "sha256": self.sha256,
        }


NOTHING: Final = State()


class Beneath:
    """The folder at `root`. Names given to it are relative, and may not lead out."""

    def __init__(self, root: str, *, closed: Sequence[str] = ()) -> None:
        self.root = os.path.realpath(root)
        self._closed = tuple(closed)  # real paths that stay shut though they may lie in here
        try:
            self._fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise NotFound(f"The folder {display(root, keep='')} cannot be opened: {error.strerror}.") from error

    def close(self) -> None:
        """No more."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "Beneath":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def fd(self) -> int:
        """The folder's own descriptor."""
        return self._fd

    def identity(self) -> dict[str, Any]:
        """Which folder it is."""
        found = os.fstat(self._fd)
        return {"path": self.root, "device": found.st_dev, "inode": found.st_ino}

    @contextmanager
    def opened(self, name: str, flags: int = os.O_RDONLY, *, follow: bool = True) -> Generator[int]:
        """The descriptor of what stands there. What is written to must be a plain file with one name, and is reached
        through no link."""
        fd = self._open(name, flags, follow=follow and not flags & (_WRITES | os.O_CREAT))
        try:
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def parent(self, name: str, *, make: bool = False) -> Generator[tuple[int, str]]:
        """The descriptor of the folder something stands in, and its last name."""
        *folders, last = _parts(name) or [""]
        if not last:
            raise BadRequest("The folder itself cannot be written.", "Name a file in it.")
        if make:
            self._make(folders)
        fd = self._open("/".join(folders) or ".", os.O_RDONLY | os.O_DIRECTORY, follow=False)
        try:
            yield fd, last
        finally:
            os.close(fd)

    def real(self, name: str) -> str:
        """The path, from the folder, of what stands there, links followed; the name itself where nothing does."""
        parts = _parts(name)
        if not sys.platform.startswith("linux"):
            return "/".join(parts)
        try:
            with self.opened(name, _O_PATH) as fd:
                found = os.readlink(f"/proc/self/fd/{fd}")
        except NotFound:
            return "/".join(parts)
        if found == self.root:
            return "."
        return found.removeprefix(self.root.rstrip("/") + "/")

    def read(self, name: str, *, follow: bool = True, limit: int = LARGEST_FILE) -> bytes:
        """A plain file's bytes."""
        with self.opened(name, os.O_RDONLY | os.O_NONBLOCK, follow=follow) as fd:
            return read_all(fd, name, limit)

    def is_closed(self, name: str) -> bool:
        """Whether this lies in a folder that stays shut; the name goes through no link."""
        path = os.path.normpath(os.path.join(self.root, name))
        return any(path == place or path.startswith(f"{place}/") for place in self._closed)

    def state(self, name: str) -> State:
        """What stands at this name itself, a link not followed."""
        try:
            with self.parent(name) as (folder, last):
                return state_in(folder, last)
        except NotFound:
            return NOTHING

    def _open(self, name: str, flags: int, *, follow: bool) -> int:
        parts = _parts(name)
        wanted = flags & ~(os.O_TRUNC | os.O_CREAT | os.O_EXCL) | os.O_CLOEXEC
        opening = _openat2 if _has_openat2() else _walk
        try:
            fd = opening(self._fd, parts, wanted, follow)
        except OSError as error:
            raise translated(error, name) from error
        try:
            self._check_open(fd, parts, name)
            if flags & _WRITES:
                _check_writable(fd, name)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _check_open(self, fd: int, parts: Sequence[str], name: str) -> None:
        """Not in a folder that stays shut: of an open file nobody can change where it lies by what it was called."""
        if not self._closed:
            return
        path = os.path.join(self.root, *parts)
        if sys.platform.startswith("linux"):
            path = os.readlink(f"/proc/self/fd/{fd}").removesuffix(" (deleted)")
        self._check_path(path, name)

    def _check_path(self, path: str, name: str) -> None:
        if any(path == place or path.startswith(f"{place}/") for place in self._closed):
            raise Forbidden(
                f"{display(name, keep='')} lies in Hearth's own folder.", "Tools never read or write there."
            )

    def _make(self, folders: Sequence[str]) -> None:
        self._check_path(os.path.join(self.root, *folders), "/".join(folders))
        fd = os.dup(self._fd)
        try:
            for folder in folders:
                with suppress(FileExistsError):
                    os.mkdir(folder, 0o777, dir_fd=fd)
                inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
                os.close(fd)
                fd = inner
        except OSError as error:
            raise translated(error, "/".join(folders)) from error
        finally:
            os.close(fd)


def state_in(folder: int, last: str) -> State:
    """What stands in a folder under a name."""
    try:
        found = os.stat(last, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return NOTHING
    except OSError as error:
        raise translated(error, last) from error
    if stat.S_ISLNK(found.st_mode):
        target = os.readlink(last, dir_fd=folder)
        return State(
            "link", found.st_dev, found.st_ino, 0, len(target), hashlib.sha256(os.fsencode(target)).hexdigest()
        )
    if stat.S_ISDIR(found.st_mode):
        return State("folder", found.st_dev, found.st_ino, stat.S_IMODE(found.st_mode))
    if not stat.S_ISREG(found.st_mode):
        return State("special", found.st_dev, found.st_ino, stat.S_IMODE(found.st_mode))
    try:
        fd = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        raise translated(error, last) from error
    try:
        return state_of(fd, last)
    finally:
        os.close(fd)


def state_of(fd: int, name: str) -> State:
    """The state of an open plain file."""
    found = os.fstat(fd)
    text = read_all(fd, name)
    return State(
        "file",
        found.st_dev,
        found.st_ino,
        stat.S_IMODE(found.st_mode),
        len(text),
        hashlib.sha256(text).hexdigest(),
    )


def read_all(fd: int, name: str, limit: int = LARGEST_FILE) -> bytes:
    """An open plain file from its beginning. Raises TooLarge, or BadRequest for what is no plain file."""
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise BadRequest(f"{display(name, keep='')} is no plain file.", "Name a file.")
    pieces: list[bytes] = []
    size = 0
    while piece := os.pread(fd, 1 << 20, size):
        size += len(piece)
        if size > limit:
            raise TooLarge(f"{display(name, keep='')} is larger than {limit} bytes.", "Take a smaller file.")
        pieces.append(piece)
    return b"".join(pieces)


def translated(error: OSError, name: str) -> HearthError:
    """What the system said, for a person."""
    shown = display(name, keep="")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return NotFound(f"There is no {shown} in this folder.", "Look with list_folder.")
    if error.errno in (errno.EXDEV, errno.ELOOP):
        return Forbidden(f"{shown} leads out of the folder, or through a link.", "Name the file itself.")
    return Forbidden(f"{shown} cannot be used: {error.strerror}.", "Choose another file.")


def _parts(name: str) -> list[str]:
    if "\0" in name or len(name) > 4096:
        raise BadRequest("That is no path.", "Give a path relative to the folder.")
    try:
        os.fsencode(name)
    except UnicodeEncodeError as error:
        raise BadRequest("That is no path.", "Give a path relative to the folder.") from error
    if name.startswith("/"):
        raise Forbidden("That path leads out of the folder.", "Give a path relative to the folder.")
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if not parts:
                raise Forbidden("That path leads out of the folder.", "Give a path relative to the folder.")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return parts


def _check_writable(fd: int, name: str) -> None:
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise BadRequest(f"{display(name, keep='')} is no plain file.", "Name a file.")
    if found.st_nlink > 1:  # no check of paths can see that one of them leads outside
        raise Forbidden(
            f"{display(name, keep='')} has a second name elsewhere (a hard link).", "Copy it, then change the copy."
        )


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@cache
def _has_openat2() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.close(_openat2(fd, [], os.O_RDONLY, True))
        finally:
            os.close(fd)
    except OSError:
        return False
    return True


def _openat2(root: int, parts: Sequence[str], flags: int, follow: bool) -> int:
    resolve = _BENEATH | _NO_MAGIC_LINKS | (0 if follow else _NO_SYMLINKS)
    how = struct.pack("QQQ", flags, 0, resolve)
    path = os.fsencode("/".join(parts) or ".")
    number = errno.EAGAIN
    for _ in range(_AGAIN):
        fd = _libc().syscall(_OPENAT2, root, path, ctypes.create_string_buffer(how, 24), 24)
        if fd >= 0:
            return fd
        number = ctypes.get_errno()
        if number != errno.EAGAIN:  # somebody renames folders at this moment
            break
    raise OSError(number, os.strerror(number), os.fsdecode(path))


def _walk(root: int, parts: Sequence[str], flags: int, follow: bool) -> int:
    """Without openat2 no link is followed at all."""
    del follow
    fd = os.dup(root)
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        step = flags if last else os.O_RDONLY | os.O_DIRECTORY
        try:
            inner = os.open(part, step | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
        finally:
            os.close(fd)
        fd = inner
    return fd
