"""What is known of an embedding model, whichever kind runs it: the one record of its name and its dimension."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hearth_backend.engine.prefixes import NO_PREFIXES, Prefixes


@dataclass(frozen=True, slots=True)
class EmbeddingRecord:
    """`id` changes with everything that changes the vectors: vectors of two ids are never compared."""

    id: str
    dim: int
    max_tokens: int
    prefixes: Prefixes = NO_PREFIXES


class TextEmbedder(Protocol):
    """An embedding model of this machine."""

    @property
    def record(self) -> EmbeddingRecord: ...

    @property
    def id(self) -> str: ...

    @property
    def dim(self) -> int: ...

    @property
    def fix(self) -> str:
        """What helps when it is not available."""
        ...

    async def available(self) -> bool: ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 [n, dim], L2-normalised. Raises ModelUnavailable."""
        ...
