"""What a model made of a beginning that comes again and again (system prompt and tools), kept in files.

A file is whole or absent, and is used only for the model, the parameters and the tokens it was made with: a file that
is damaged or foreign would end the process, so nothing of it reaches llama.cpp before its checksum was found right.
"""

import contextlib
import hashlib
import logging
import os
import queue
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger(__name__)
_MAGIC = b"HKV1"
_SUM = 32
_SUFFIX = ".kv"


class StateFiles:
    """The state files of one model. Writing happens on a thread of its own; the oldest files give way."""

    def __init__(self, folder: Path, identity: bytes, most_bytes: int) -> None:
        self._folder = folder
        self._identity = identity
        self._most_bytes = most_bytes
        self._known: set[str] = set()
        self._writes: queue.Queue[tuple[str, bytes]] = queue.Queue(maxsize=2)
        self._writer: threading.Thread | None = None

    def has(self, tokens: Sequence[int]) -> bool:
        """Whether there is, or soon will be, a state for exactly these tokens."""
        name = self._name(tokens)
        return name in self._known or self._path(name).exists()

    def read(self, tokens: Sequence[int]) -> bytes | None:
        """The state after these tokens; None when there is none that can be trusted."""
        name = self._name(tokens)
        path = self._path(name)
        try:
            raw = path.read_bytes()
            data = memoryview(raw)[len(_MAGIC) + _SUM :]
            if raw[: len(_MAGIC)] != _MAGIC or hashlib.sha256(data).digest() != raw[len(_MAGIC) : len(_MAGIC) + _SUM]:
                raise ValueError("its checksum is wrong")
            os.utime(path)
        except FileNotFoundError:
            self._known.discard(name)
            return None
        except (OSError, ValueError) as error:
            log.warning("a kept beginning cannot be used and is removed: %s", error)
            self.drop(tokens)
            return None
        return bytes(data)

    def write(self, tokens: Sequence[int], data: bytes) -> None:
        """Keep a state; dropped when the disk is slower than beginnings come."""
        name = self._name(tokens)
        if self._writer is None:
            self._writer = threading.Thread(target=self._write_all, name="states", daemon=True)
            self._writer.start()
        with contextlib.suppress(queue.Full):
            self._writes.put_nowait((name, data))
            self._known.add(name)

    def drop(self, tokens: Sequence[int]) -> None:
        """Remove the state of these tokens."""
        name = self._name(tokens)
        self._known.discard(name)
        with contextlib.suppress(OSError):
            self._path(name).unlink()

    def forget_names(self) -> None:
        """Know of none any more, once all that was to be kept is on disk."""
        self.settled()
        self._known.clear()

    def settled(self) -> None:
        """Wait until all that was to be kept is on disk."""
        self._writes.join()

    def _write_all(self) -> None:
        while True:
            name, data = self._writes.get()
            try:
                self._write(name, data)
            except OSError as error:
                self._known.discard(name)
                log.warning("a beginning could not be kept: %s", error)
            finally:
                self._writes.task_done()

    def _write(self, name: str, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_room(len(data))
        descriptor, beside = tempfile.mkstemp(dir=self._folder)  # 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(data).digest())
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self._path(name))
        except BaseException:
            os.unlink(beside)
            raise

    def _make_room(self, size: int) -> None:
        if size > self._most_bytes:
            raise OSError("it is larger than all that may be kept")
        found = [(path, path.stat()) for path in self._folder.iterdir() if path.is_file()]
        used = sum(status.st_size for _, status in found)
        for path, status in sorted(found, key=lambda entry: entry[1].st_mtime):
            if used + size <= self._most_bytes:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                used -= status.st_size

    def _name(self, tokens: Sequence[int]) -> str:
        said = b",".join(b"%d" % token for token in tokens)
        return hashlib.sha256(self._identity + b"|" + said).hexdigest()[:40]

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"


def forget(folder: Path) -> int:
    """Remove every kept beginning in a folder, of all models; how many there were."""
    count = 0
    for path in folder.glob("*") if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            path.unlink()
            count += path.suffix == _SUFFIX
    return count
