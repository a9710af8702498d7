"""Memory as a file: exported as one text, imported again from one."""

from typing import Literal

from pydantic import Field

from hearth_shared.protocol.base import Message, Request, Space


class ExportQuery(Request):
    """What to export: one space, or all that may be seen. Both forms say the same, and both can be imported."""

    format: Literal["jsonl", "markdown"] = "jsonl"
    space: Space | None = None


class ImportRequest(Request):
    """An exported file, or a part of it: further parts name the import that the first one began, and the `last` one
    takes it in, whole or not at all. With `dry_run` it is only checked."""

    text: str = Field(max_length=1_048_576)
    import_id: str | None = Field(default=None, min_length=1, max_length=128)
    last: bool = True
    dry_run: bool = False


class Imported(Message):
    """What came of it; `known` counts memories that were there already. `done` is false while parts are missing."""

    import_id: str
    done: bool
    records: int = 0
    new: int = 0
    known: int = 0
    facts: int = 0
    summaries: int = 0
    blocks: int = 0
    dry_run: bool = False
