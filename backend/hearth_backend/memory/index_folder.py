"""Where the index lives: a folder for each collection, and one set aside when it was damaged. All can be deleted."""

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

_LONGEST = 200
_ASIDE = "damaged"
_LEAST_ROOM = 4 * 1024 * 1024
Seal = Literal["kept", "broken", "none"]
_STRANGE = re.compile(r"[^a-zA-Z0-9._-]+")


def collection_name(model: str) -> str:
    """The collection of an embedding model's vectors; two models never share one.

    Chroma takes letters, digits, dots, hyphens and underscores: where a model's id has others, its hash tells it apart.
    """
    plain = _STRANGE.sub("-", model)[:_LONGEST].strip("-._") or "model"
    if plain != model:
        plain = f"{plain}-{hashlib.sha256(model.encode()).hexdigest()[:12]}"
    return f"mem__{plain}"


class IndexFolder:
    """The folders on disk. Nothing in them is worth a backup: SQLite has it all."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def make(self) -> None:
        """The place for collections, the owner's alone."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def of(self, model: str) -> Path:
        """A model's collection; it may not be there."""
        return self._root / collection_name(model)

    def is_there(self, model: str) -> bool:
        return self.of(model).is_dir()

    def set_aside(self, model: str) -> None:
        """Keep a damaged collection beside the new one until that is whole, instead of the one kept before."""
        self.forget_damaged()
        with contextlib.suppress(OSError):
            self.of(model).rename(self._root / _ASIDE)

    def discard(self, model: str) -> None:
        """Delete a collection."""
        self.unseal(model)
        shutil.rmtree(self.of(model), ignore_errors=True)

    def seal(self, model: str) -> None:
        """Write down what is in a collection's files, once nobody has them open any more."""
        file = self._seal(model)
        with contextlib.suppress(OSError):
            written = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with open(written, "w", encoding="utf-8") as sealed:
                json.dump(_hashes(self.of(model)), sealed)

    def unseal(self, model: str) -> None:
        """Its files are about to change."""
        self._seal(model).unlink(missing_ok=True)

    def look_at_seal(self, model: str) -> Seal:
        """Whether a collection's files are as they were left; "none" after an end that was not an orderly one."""
        try:
            sealed = json.loads(self._seal(model).read_text("utf-8"))
        except (OSError, ValueError):
            return "none"
        return "kept" if sealed == _hashes(self.of(model)) else "broken"

    def _seal(self, model: str) -> Path:
        return self._root / f"{collection_name(model)}.seal"

    def discard_others(self, model: str) -> None:
        """Delete the collections of models that are not searched any more."""
        for path in self._root.glob("mem__*"):
            if path.is_dir() and path != self.of(model):
                shutil.rmtree(path, ignore_errors=True)
            elif path.suffix == ".seal" and path != self._seal(model):
                path.unlink(missing_ok=True)

    def is_full(self) -> bool:
        """Whether there is too little room on its disk to make or change a collection."""
        try:
            return shutil.disk_usage(self._root).free < _LEAST_ROOM
        except OSError:
            return False

    def forget_damaged(self) -> None:
        """What was set aside holds vectors that may since have been forgotten."""
        shutil.rmtree(self._root / _ASIDE, ignore_errors=True)


def _hashes(folder: Path) -> Mapping[str, str]:
    """Every file's content, by its path in the folder."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[str(path.relative_to(folder))] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
