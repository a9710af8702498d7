"""What memory asks of others, and what others ask of memory."""

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hearth_backend.memory.gone import Gone
from hearth_shared.protocol.memory import SearchRequest, SearchResult
from hearth_shared.protocol.tasks import Source

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Any embedding model. `id` names its vectors: two models' vectors are never mixed."""

    @property
    def id(self) -> str: ...

    @property
    def dim(self) -> int: ...

    async def available(self) -> bool:
        """False when its weights are missing (a plain install): memory then searches by words and says so."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 [n, dim], L2-normalised."""
        ...


class Recall(Protocol):
    """What an agent or a tool asks of memory."""

    async def search(self, request: SearchRequest, spaces: Collection[str]) -> SearchResult:
        """Hits from `request.space`, which must be one of `spaces` (else NotFound)."""
        ...

    async def recall(self, question: str, spaces: Collection[str], *, token_budget: int = 1200) -> Sequence[Source]:
        """The best passages over all `spaces` (and Hearth's own documentation), numbered from 1."""
        ...


class Elsewhere(Protocol):
    """A place outside memory where text of episodes may stand: the journal of tasks, kept states of models."""

    async def quoting(self, gone: Gone) -> int:
        """How many entries may quote it."""
        ...

    async def erase(self, gone: Gone) -> bool:
        """Take it out; False when somebody is still writing there, and it has to be done again."""
        ...
