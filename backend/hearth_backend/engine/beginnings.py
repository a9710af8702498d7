"""Beginnings that many prompts share, between the context and the files they are kept in."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from hearth_backend.engine.kvcache import Seat
from hearth_backend.engine.native import VERSION, NativeContext
from hearth_backend.engine.statefiles import StateFiles

LEAST = 128  # tokens below which reading is as quick as restoring
_MOST_BYTES = 1 << 30
_HEAD = 1 << 20


class KeptBeginnings:
    """Restores the beginnings of one loaded model, and keeps those that are new."""

    def __init__(self, context: NativeContext, files: StateFiles) -> None:
        self._context = context
        self._files = files

    def restore(self, seat: Seat, tokens: Sequence[int]) -> bool:
        """Put a beginning into an empty seat; whether it was kept."""
        data = self._files.read(tokens)
        if data is None:
            return False
        if self._context.restore(seat.id, data, len(tokens)):
            return True
        self._files.drop(tokens)
        return False

    def wanted(self, tokens: Sequence[int]) -> bool:
        """Whether this beginning is worth keeping and not kept yet."""
        return len(tokens) >= LEAST and not self._files.has(tokens)

    def forget(self) -> None:
        """None is known any more; what was being written is written, for whoever removes the files."""
        self._files.forget_names()

    def keep(self, seat: Seat) -> None:
        """Keep what a seat holds."""
        self._files.write(seat.tokens, self._context.state(seat.id))


def state_files(folder: Path, model: Path, parameters: Sequence[object]) -> StateFiles:
    """The state files of a model file, loaded with these parameters by this llama.cpp."""
    with model.open("rb") as file:
        head = hashlib.sha256(file.read(_HEAD)).hexdigest()
    identity = "|".join(map(str, (head, model.stat().st_size, VERSION, *parameters)))
    return StateFiles(folder, identity.encode(), _MOST_BYTES)
