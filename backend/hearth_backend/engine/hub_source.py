"""What a person asks the hub for, taken apart: REPO, REPO:FILE or REPO:QUANTISATION; and which file of a repository."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from hearth_shared.errors import BadRequest, NotFound

_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", re.ASCII)
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_HOWTO = "Write it as OWNER/NAME or OWNER/NAME:FILE.gguf, or take a name of `hearth models list --catalogue`."
_PREFERRED = ("q4_k_m", "q4_k_s", "q4_0", "q5_k_m", "q6_k", "q8_0", "mxfp4")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Source:
    """`wanted` is a file of the repository, a quantisation, or empty: then Hearth chooses."""

    repo: str
    wanted: str = ""

    def __str__(self) -> str:
        return f"{self.repo}:{self.wanted}" if self.wanted else self.repo


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository; `sha256` is empty for one that the hub keeps no digest of."""

    name: str
    size: int
    sha256: str

    @property
    def local_name(self) -> str:
        """Its name in the models folder: folders of the repository do not count."""
        return PurePosixPath(self.name).name


def parse(text: str) -> Source:
    """Raises BadRequest, saying what a source looks like."""
    repo, colon, wanted = text.partition(":")
    if not _REPO.fullmatch(repo) or ".." in repo or (colon and not wanted):
        raise BadRequest(f"{text!r} names no repository of a model hub.", _HOWTO)
    if wanted and not (_safe_path(wanted) if wanted.lower().endswith(".gguf") else _TAG.fullmatch(wanted)):
        raise BadRequest(f"{wanted!r} is no name of a model file.", _HOWTO)
    return Source(repo, wanted)


def choose(source: Source, files: Sequence[RemoteFile]) -> tuple[RemoteFile, ...]:
    """The file to fetch, with all its parts. Raises NotFound with what there is."""
    models = [file for file in files if _is_model(file)]
    firsts = [file for file in models if (part := _SHARD.search(file.name)) is None or int(part[1]) == 1]
    if not firsts:
        raise NotFound(f"{source.repo} holds no GGUF file.", "Look for a repository whose name ends in GGUF.")
    chosen = _chosen(source, firsts)
    return tuple(file for file in models if _whole(file) == _whole(chosen))


def _chosen(source: Source, firsts: Sequence[RemoteFile]) -> RemoteFile:
    wanted = source.wanted.lower()
    if wanted.endswith(".gguf"):
        found = [file for file in firsts if source.wanted in (file.name, file.local_name)]
    elif wanted:
        found = [file for file in firsts if wanted in _words(file)]
    else:
        found = [file for tag in _PREFERRED for file in firsts if tag in _words(file)] or list(firsts)[
            : len(firsts) == 1
        ]
    if not found:
        names = ", ".join(f"{file.name} ({file.size / 1e9:.1f} GB)" for file in firsts[:8])
        what = f"no file {source.wanted!r}" if wanted else "several files, none in a usual quantisation"
        raise NotFound(f"{source.repo} holds {what}.", f"Name one of its files after a colon: {names}.")
    return found[0]


def _words(file: RemoteFile) -> tuple[str, ...]:
    """What a file's name says of its quantisation: `x-Q4_K_M.gguf` and `x.Q4_K_M.gguf` say q4_k_m."""
    return tuple(re.split(r"[.-]", _SHARD.sub(".gguf", file.local_name).lower()))


def _whole(file: RemoteFile) -> str:
    """The same for all parts of one model."""
    return _SHARD.sub("", file.name)


def _is_model(file: RemoteFile) -> bool:
    """Not a projector for pictures, nor a name that could lead out of the models folder."""
    name = file.local_name
    return file.name.lower().endswith(".gguf") and _safe_path(file.name) and not name.lower().startswith("mmproj")


def _safe_path(path: str) -> bool:
    parts = path.split("/")
    printable = path.isprintable() and "\\" not in path and ":" not in path
    return printable and all(part and part[0] not in ".-~" and len(part) <= _LONGEST_NAME for part in parts)


def without_shard(name: str) -> str:
    """A file's name without the number of its part."""
    return _SHARD.sub(".gguf", name)
