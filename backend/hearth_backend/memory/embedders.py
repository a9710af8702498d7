"""Which embedding model makes vectors, and which one's vectors are searched while another takes over."""

from collections.abc import Callable, Sequence

import numpy as np

from hearth_backend.memory.ports import Embedder, Vectors
from hearth_shared.errors import ModelUnavailable


class SearchedModel:
    """The model whose vectors are searched, as one `Embedder`; it stays the old one until all is embedded anew.

    `current` makes vectors from now on; `former` finds an earlier model by its id, None where it is no longer here.
    A question then waits, by words alone, until the new vectors are there. `questions` is the current model for what
    is asked, where that is embedded in another way than what is kept.
    """

    def __init__(
        self, current: Embedder, former: Callable[[str], Embedder | None], questions: Embedder | None = None
    ) -> None:
        self.current = current
        self._former = former
        self._questions = questions or current
        self._searched: Embedder | None = self._questions
        self._id = current.id

    @property
    def id(self) -> str:
        return self._id

    @property
    def dim(self) -> int:
        return self._searched.dim if self._searched else self.current.dim

    @property
    def is_taking_over(self) -> bool:
        """Whether the vectors searched are still those of an earlier model."""
        return self._id != self.current.id

    def search_with(self, model: str | None) -> None:
        """Search the vectors of a model from now on; None: of the current one."""
        self._id = model or self.current.id
        self._searched = self._questions if self._id == self.current.id else self._former(self._id)

    async def available(self) -> bool:
        return self._searched is not None and await self._searched.available()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        if self._searched is None:
            raise ModelUnavailable(
                f"The model that made these vectors, {self._id}, is not here any more; they are being made anew.",
                "Searching by meaning works again when that is done.",
            )
        return await embedded(self._searched, texts)


async def embedded(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """A row for each text, as the model promised them. Raises ModelUnavailable for anything else."""
    rows = await embedder.embed(texts)
    if rows.shape != (len(texts), embedder.dim):
        promised = f"{len(texts)} vectors of {embedder.dim} numbers"
        raise ModelUnavailable(
            f"The embedding model {embedder.id} gave vectors of shape {rows.shape}, not {promised}; none were kept.",
            "Choose another embedding model; `hearth doctor` examines this one.",
        )
    if not np.isfinite(rows).all():
        raise ModelUnavailable(
            f"The embedding model {embedder.id} gave vectors that are no numbers; none were kept.",
            "Choose another embedding model; `hearth doctor` examines this one.",
        )
    return rows.astype(np.float32, copy=False)
