"""The person's own GGUF embedding model, for memory: the protocol that MiniLM has, served by an engine child."""

import base64
import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hearth_backend.engine.client import Engine
from hearth_backend.engine.embedding_record import EmbeddingRecord
from hearth_backend.engine.files import ModelFile
from hearth_backend.engine.frames import Vectors
from hearth_backend.engine.lanes import Lane
from hearth_backend.engine.prefixes import prefixes_of
from hearth_shared.errors import HearthError, ModelUnavailable

Rows = NDArray[np.float32]
_HEAD = 1 << 20
_AGAIN = "`hearth models use embed auto` goes back to the built-in model."


class GgufEmbedder:
    """Embeds passages; `for_questions` is the same model for what is asked of them, with its other prefix.

    The file is looked at once: one that is replaced later makes other vectors, so it is not used until Hearth starts
    again and knows it by another id.
    """

    def __init__(self, engine: Engine, name: str, file: ModelFile | None, max_tokens: int) -> None:
        """`file` None: there is none of this name, and the embedder says so."""
        self._engine = engine
        self._name = name
        self._file = file
        self.record = _record(name, file, max_tokens)
        self._prefix = self.record.prefixes.document
        self._lane: Lane = "indexing"

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def dim(self) -> int:
        return self.record.dim

    @property
    def fix(self) -> str:
        """What helps when `available` is False."""
        if self._file is None:
            return f"There is no embedding model {self._name} here: put its file back, or {_AGAIN}"
        if not self._engine.available():
            return f"Run `make run` in Hearth's checkout, which builds the engine, or {_AGAIN}"
        return f"The file of {self._name} has changed: start Hearth again (`hearth down`), or {_AGAIN}"

    @property
    def for_questions(self) -> "GgufEmbedder":
        """The same vectors' space, asked instead of searched, and not behind what is being indexed."""
        asking = GgufEmbedder(self._engine, self._name, self._file, self.record.max_tokens)
        asking._prefix, asking._lane = self.record.prefixes.query, "chat"
        return asking

    async def available(self) -> bool:
        """Whether the file is the one it was, and there is an engine to load it with."""
        if self._file is None or not self._engine.available():
            return False
        try:
            return (await self._engine.info(self._name)).file.stamp == self._file.stamp
        except HearthError:
            return False

    async def embed(self, texts: Sequence[str]) -> Rows:
        """One L2-normalised float32 row for each text. Raises ModelUnavailable, or what loading the model raises."""
        if not await self.available():
            raise ModelUnavailable(f"The embedding model {self._name} cannot be used.", self.fix)
        given = [self._prefix + text for text in texts]
        told = [rows_of(said) async for said in self._engine.embed(self._name, given, lane=self._lane)]
        rows = np.concatenate(told) if told else np.zeros((0, self.dim), np.float32)
        if rows.shape[1] != self.dim:
            raise ModelUnavailable(
                f"{self._name} gives {rows.shape[1]} dimensions where its header says {self.dim}.", _AGAIN
            )
        return rows

    async def close(self) -> None:
        """Nothing is held here: the engine's process belongs to the engine."""


def rows_of(said: Vectors) -> Rows:
    """The vectors of a frame."""
    return np.frombuffer(base64.b64decode(said.data), "<f4").reshape(-1, said.width).astype(np.float32, copy=False)


def _record(name: str, file: ModelFile | None, max_tokens: int) -> EmbeddingRecord:
    if file is None:
        return EmbeddingRecord(f"{name}.missing", 1, max_tokens)
    facts = file.facts
    with file.path.open("rb") as data:
        head = hashlib.sha256(data.read(_HEAD) + str(facts.size).encode()).hexdigest()[:12]
    longest = min(max_tokens, facts.context or max_tokens)
    prefixes = prefixes_of(file.id, facts.name)
    said = hashlib.sha256(repr((prefixes, longest)).encode()).hexdigest()[:4]
    return EmbeddingRecord(f"{file.id}.{head}{said}", facts.shape.embedding, longest, prefixes)
