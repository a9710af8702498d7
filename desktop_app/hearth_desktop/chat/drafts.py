"""What a person began to write in each thread and has not sent; it survives the end of the program."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

NEW: Final = ""
"""The thread that does not exist yet."""
_MOST: Final = 100


class Drafts:
    """Kept in one private file, whole or as it was before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._texts = _read(path)
        self._changed = False

    def get(self, thread_id: str) -> str:
        """What was begun in a thread."""
        return self._texts.get(thread_id, "")

    def put(self, thread_id: str, text: str) -> None:
        """What is written there now; stored with `store`."""
        if text == self.get(thread_id):
            return
        self._changed = True
        self._texts.pop(thread_id, None)
        if text.strip():
            self._texts[thread_id] = text
        while len(self._texts) > _MOST:
            del self._texts[next(iter(self._texts))]

    def store(self) -> None:
        """To the disk. A disk that refuses costs the drafts of this session, not the session."""
        if not self._changed:
            return
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(self._texts, file, ensure_ascii=False)
            new.replace(self._path)
        except OSError:
            return
        self._changed = False


def _read(path: Path) -> dict[str, str]:
    try:
        known: Any = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(known, Mapping):
        return {}
    return {str(name): text for name, text in known.items() if isinstance(text, str)}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
