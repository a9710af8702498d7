"""What one backup consists of, as it is written: a line about it, a line for each file, sealed by a hash."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, cast

from hearth_shared.errors import StorageFault

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Filed:
    """One file: its place below the home, its size, its blocks; of a database its schema and rows by table too."""

    name: str
    size: int
    blocks: Sequence[str]
    schema: int | None = None
    rows: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup. `made_at` is in seconds since 1970; `asked` when a person wanted it."""

    id: str
    made_at: float
    asked: bool
    version: str
    files: Sequence[Filed]

    def encoded(self) -> bytes:
        """As it is written."""
        lines = [json.dumps(asdict(one), separators=(",", ":")).encode() for one in self.files]
        head = {"format": _FORMAT, "id": self.id, "made_at": self.made_at, "asked": self.asked, "version": self.version}
        seal = _seal(head, lines)
        return b"\n".join([json.dumps({**head, "seal": seal}).encode(), *lines, b""])


def decoded(data: bytes) -> Manifest:
    """What was written. Raises StorageFault for anything else."""
    first, *lines = data.rstrip(b"\n").split(b"\n")
    try:
        head = cast("dict[str, Any]", json.loads(first))
        seal = head.pop("seal")
        if head["format"] != _FORMAT:
            raise StorageFault("This backup was made by a newer Hearth.", "Update Hearth, or restore another.")
        if seal != _seal(head, lines):
            raise _damaged()
        files = [Filed(**json.loads(line)) for line in lines]
        return Manifest(head["id"], head["made_at"], head["asked"], head["version"], files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged() from error


def _seal(head: Mapping[str, Any], lines: Sequence[bytes]) -> str:
    return hashlib.sha256(b"\n".join([json.dumps(dict(head), sort_keys=True).encode(), *lines])).hexdigest()


def _damaged() -> StorageFault:
    return StorageFault("The list of what this backup consists of is damaged.", "Restore another backup.")
