"""Writes a file that was looked at before: the very file that was seen, or not at all."""

import errno
import os
from contextlib import suppress
from typing import Final

from hearth_backend.tools.beneath import NOTHING, Beneath, State, read_all, state_in, state_of, translated
from hearth_shared.display import display
from hearth_shared.errors import ApprovalMismatch, Forbidden, TooLarge

LARGEST: Final = 4 * 1024 * 1024
_MODE: Final = 0o666


def write(folder: Beneath, name: str, content: bytes, seen: State) -> None:
    """Make `content` the file at `name`, which must still be what was `seen`. What could not be written whole is put
    back as it was. Raises ApprovalMismatch."""
    if len(content) > LARGEST:
        raise TooLarge(f"{len(content)} bytes are more than a tool may write ({LARGEST}).", "Write less.")
    if seen == NOTHING:
        _create(folder, name, content)
        return
    with folder.opened(name, os.O_RDWR) as fd:
        if state_of(fd, name) != seen:
            raise changed(name)
        _replace(fd, name, content)


def remove(folder: Beneath, name: str, seen: State) -> None:
    """Delete the file, link or empty folder at `name`, which must still be what was `seen`."""
    with folder.parent(name) as (parent, last):
        if state_in(parent, last) != seen:
            raise changed(name)
        try:
            if seen.kind == "folder":
                os.rmdir(last, dir_fd=parent)
            else:
                os.unlink(last, dir_fd=parent)
        except OSError as error:
            raise translated(error, name) from error


def changed(name: str) -> ApprovalMismatch:
    """It is not what was decided over any more."""
    return ApprovalMismatch(
        f"{display(name, keep='')} has changed since it was decided, so nothing was done.", "Look again, and ask anew."
    )


def _create(folder: Beneath, name: str, content: bytes) -> None:
    with folder.parent(name, make=True) as (parent, last):
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            fd = os.open(last, flags, _MODE, dir_fd=parent)
        except FileExistsError as error:
            raise changed(name) from error
        except OSError as error:
            raise translated(error, name) from error
        try:
            _put(fd, content)
        except OSError as error:
            with suppress(OSError):
                os.unlink(last, dir_fd=parent)
            raise _failed(name, error) from error
        finally:
            os.close(fd)


def _replace(fd: int, name: str, content: bytes) -> None:
    before = read_all(fd, name)
    try:
        _put(fd, content)
    except OSError as error:
        with suppress(OSError):
            _put(fd, before)
        raise _failed(name, error) from error


def _put(fd: int, content: bytes) -> None:
    _reserve(fd, len(content))
    done = 0
    while done < len(content):
        done += os.pwrite(fd, content[done : done + (1 << 20)], done)
    os.ftruncate(fd, len(content))
    os.fsync(fd)


def _reserve(fd: int, size: int) -> None:
    """A full disk is found out before anything is lost, where the file system can tell."""
    if not size or not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise


def _failed(name: str, error: OSError) -> Forbidden:
    return Forbidden(
        f"{display(name, keep='')} could not be written: {error.strerror}. It is as it was.", "Try again later."
    )
