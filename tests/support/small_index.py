"""An index in a folder of its own, for a memory on a small database."""

from dataclasses import dataclass, field
from pathlib import Path

from hearth_backend.memory.index import Index
from hearth_backend.memory.index_folder import IndexFolder
from hearth_backend.storage.database import Database
from hearth_shared.protocol.status import CheckState


@dataclass
class Said:
    """What an index said of itself, in order."""

    lines: list[tuple[CheckState, str, str]] = field(default_factory=list[tuple[CheckState, str, str]])

    def __call__(self, state: CheckState, detail: str, fix: str) -> None:
        self.lines.append((state, detail, fix))

    @property
    def all(self) -> str:
        return "\n".join(" ".join(line) for line in self.lines)


def index_of(
    database: Database, folder: Path, said: Said | None = None, *, exact_below: int = 0, idle_s: float = 300.0,
    proven: float = 0.0,
) -> Index:  # fmt: skip
    """Made for as few vectors as there are, and tried again at once."""
    told = said or Said()
    return Index(
        database, IndexFolder(folder), told, exact_below=exact_below, idle_s=idle_s, retry_s=0.0, proven=proven
    )
