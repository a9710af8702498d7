"""Embedding what was stored, in the background: woken by writes, silent otherwise."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

from hearth_backend.memory import store, vector_store
from hearth_backend.memory.embedders import SearchedModel, embedded
from hearth_backend.memory.ports import Embedder
from hearth_backend.storage.database import Database
from hearth_shared.errors import HearthError

log = logging.getLogger(__name__)
_BATCH = 50
_DROPPED = 1000  # vectors in one transaction: others write in between


class Outbox:
    """Drains the table of rows to embed, and rewrites the word index after something was forgotten.

    Without an embedder the rows wait; when its process fails they wait for the next `wake`. Vectors of another model
    are replaced once all rows have their new ones: in one transaction the new ones are searched, then the old ones go.
    `embedded` hears which rows of which space have vectors now, `switched` that another model's are searched.
    """

    def __init__(
        self,
        database: Database,
        models: SearchedModel | None,
        embedded: Callable[[str, Iterable[int]], None],
        switched: Callable[[], None],
    ) -> None:
        self._database = database
        self._models = models
        self._embedded = embedded
        self._switched = switched
        self._wanted = asyncio.Event()
        self._settled = asyncio.Event()
        self._forgotten = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Be ready to be woken."""
        self._settled.set()
        self._task = asyncio.create_task(self._run(), name="memory-outbox")

    async def close(self) -> None:
        """Stop; what is not embedded yet stays in the table."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def wake(self, *, forgotten: bool = False) -> None:
        """There may be something to do."""
        self._forgotten = self._forgotten or forgotten
        self._settled.clear()
        self._wanted.set()

    async def settled(self) -> None:
        """Wait until all is done that can be done now."""
        await self._settled.wait()

    async def _run(self) -> None:
        first = True
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._merge_forgotten()
                first = not await self._drain(first)
            except HearthError as error:
                log.warning("memories wait for their vectors: %s", error)
            except Exception:  # the top of the task: it must go on with the next wake
                log.exception("embedding memories failed")
            if not self._wanted.is_set():
                self._settled.set()

    async def _drain(self, first: bool) -> bool:
        """Embed all that waits; whether that could be done."""
        embedder = self._models.current if self._models else None
        if embedder is None or not await embedder.available():
            return not first
        model = embedder.id
        if first:
            await self._database.write(lambda connection: vector_store.enqueue_missing(connection, model))
        while batch := await self._database.read(lambda connection: vector_store.waiting(connection, model, _BATCH)):
            await self._embed(embedder, batch)
        if first:
            await self._take_over(model)
        return True

    async def _take_over(self, model: str) -> None:
        await self._database.write(
            lambda connection: vector_store.switch_model(connection, model), committed=lambda _: self._switch(model)
        )
        while await self._database.write(
            lambda connection: vector_store.drop_other_models(connection, model, _DROPPED)
        ):
            pass

    def _switch(self, model: str) -> None:
        assert self._models is not None
        if self._models.id != model:
            self._models.search_with(model)
            self._switched()

    async def _embed(self, embedder: Embedder, batch: vector_store.Waiting) -> None:
        wanted = [
            (rowid, part, value)
            for rowid, _, text, window in batch.rows
            for part, value in (("text", text), ("window", window))
            if part == "window" or rowid not in batch.embedded
        ]
        texts = list(dict.fromkeys(value for _, _, value in wanted))
        vectors = dict(zip(texts, await embedded(embedder, texts), strict=True)) if texts else {}
        rows = [(rowid, part, vectors[value].tobytes()) for rowid, part, value in wanted]
        await self._database.write(
            lambda connection: vector_store.put_vectors(connection, embedder.id, embedder.dim, rows, batch.up_to)
        )
        for space in {space for _, space, _, _ in batch.rows}:
            self._embedded(space, [rowid for rowid, of, _, _ in batch.rows if of == space])

    async def _merge_forgotten(self) -> None:
        if not self._forgotten:
            return
        self._forgotten, first = False, True
        while await self._database.write(lambda connection, first=first: store.merge_words(connection, first)):
            first = False
