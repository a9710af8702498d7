"""Where the index lives: a folder for each collection, and one set aside when it was damaged. All can be deleted."""

import contextlib
import hashlib
import re
import shutil
from pathlib import Path

_LONGEST = 200
_ASIDE = "damaged"
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
        shutil.rmtree(self.of(model), ignore_errors=True)

    def discard_others(self, model: str) -> None:
        """Delete the collections of models that are not searched any more."""
        for folder in self._root.glob("mem__*"):
            if folder != self.of(model):
                shutil.rmtree(folder, ignore_errors=True)

    def forget_damaged(self) -> None:
        """What was set aside holds vectors that may since have been forgotten."""
        shutil.rmtree(self._root / _ASIDE, ignore_errors=True)
