"""Which model files there are."""

import logging
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hearth_backend.engine.gguf import Facts, read_facts
from hearth_shared.errors import BadModelFile, NoModel, NotFound

log = logging.getLogger(__name__)
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})$")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A readable GGUF; `id` is what a person types, `stamp` changes when the file does."""

    id: str
    path: Path
    stamp: tuple[int, int]
    facts: Facts


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file that should be a model and cannot be used, and why."""

    id: str
    path: Path
    size: int
    error: BadModelFile


class ModelFiles:
    """The GGUF files of the models folder and the chosen one; each header is read once and again when it changes.

    Reading a header takes a few hundred milliseconds for a large vocabulary: call from a thread, not from the loop.
    """

    def __init__(self, folder: Path, chosen: str = "", others: Sequence[str] = ()) -> None:
        """`others` are named too, wherever they are, and never the default."""
        self._folder = folder
        self._chosen = folder / Path(chosen).expanduser() if chosen else None
        self._others = [folder / Path(other).expanduser() for other in others if other]
        self._known: dict[Path, tuple[tuple[int, int], Facts | BadModelFile]] = {}
        self._lock = threading.Lock()

    def readable(self) -> list[ModelFile]:
        """All readable ones, the chosen first, then the newest first; an unreadable one is logged once."""
        found: dict[str, ModelFile] = {}
        for path in self._paths():
            try:
                file = self.read(path)
            except BadModelFile:
                continue
            found.setdefault(file.id, file)
        return list(found.values())

    def all(self) -> list[ModelFile | BrokenFile]:
        """Every file there is, in the same order; a chosen one that is missing too."""
        paths = self._paths()
        if self._chosen and self._chosen not in paths:
            paths.insert(0, self._chosen)
        return [self._look(path) for path in paths]

    def find(self, name: str) -> ModelFile:
        """The file of this id or path; "auto" or nothing: the chosen one, else the newest that writes text.

        Raises NotFound, NoModel, or BadModelFile when it is there but cannot be used.
        """
        if name in ("", "auto"):
            return self._default()
        for path in self._paths():
            if _id(path) == name or path.name == name or str(path) == name:
                return self.read(path)
        if (path := Path(name).expanduser()).is_absolute() and path.is_file():
            return self.read(path)
        raise NotFound(f"There is no model file {name!r}.", "`hearth models list` shows those that are there.")

    def read(self, path: Path) -> ModelFile:
        """The file at `path`. Raises BadModelFile with the reason."""
        try:
            status = path.stat()
        except OSError as error:
            raise BadModelFile(
                f"{path} cannot be read: {error.strerror or error}.", "Check `engine.model_file`, or choose another."
            ) from error
        stamp = (status.st_size, status.st_mtime_ns)
        with self._lock:
            known = self._known.get(path)
            if known is None or known[0] != stamp:
                known = self._known[path] = (stamp, _facts(path))
        if isinstance(known[1], BadModelFile):
            raise BadModelFile(known[1].detail, known[1].fix)
        return ModelFile(_id(path), path, stamp, known[1])

    def _look(self, path: Path) -> ModelFile | BrokenFile:
        try:
            return self.read(path)
        except BadModelFile as error:
            return BrokenFile(_id(path), path, path.stat().st_size if path.is_file() else 0, error)

    def _default(self) -> ModelFile:
        if self._chosen:
            return self.read(self._chosen)
        for file in self.readable():
            if file.facts.writes:
                return file
        raise NoModel(
            f"There is no language model in {self._folder}.",
            "Put a GGUF file there, or name one: `hearth config set engine.model_file PATH`.",
        )

    def _paths(self) -> list[Path]:
        try:
            paths = [path for path in self._folder.glob("*.gguf") if path.is_file() and _first(path)]
            paths.sort(key=lambda path: (-path.stat().st_mtime_ns, path.name))
        except OSError as error:
            log.debug("the models folder cannot be listed: %s", error)
            paths = []
        if self._chosen and self._chosen.is_file():
            paths = [self._chosen, *(path for path in paths if path != self._chosen)]
        return [*paths, *(path for path in self._others if path not in paths and path.is_file())]


def _facts(path: Path) -> Facts | BadModelFile:
    try:
        facts = read_facts(path)
        for shard in range(2, facts.shards + 1):
            part = path.with_name(f"{_id(path)}-{shard:05}-of-{facts.shards:05}.gguf")
            if not part.is_file():
                raise BadModelFile(f"{path.name} is one of {facts.shards} parts: {part.name} is missing.", "Fetch it.")
    except BadModelFile as error:
        log.info("%s", error.detail)
        return error
    return facts


def _id(path: Path) -> str:
    return _SHARD.sub("", path.stem)


def _first(path: Path) -> bool:
    """Whether it is a whole file, or the first of its parts."""
    shard = _SHARD.search(path.stem)
    return shard is None or int(shard[1]) == 1
