"""Embedding what was stored, in the background: woken by writes, silent otherwise."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

from hearth_backend.memory import store
from hearth_backend.memory.ports import Embedder
from hearth_backend.storage.database import Database
from hearth_shared.errors import HearthError

log = logging.getLogger(__name__)
_BATCH = 50


class Outbox:
    """Drains the table of rows to embed, and rewrites the word index after something was forgotten.

    `embedded` hears which rows of which space have vectors now. Without an embedder the rows wait; when its process
    fails they wait for the next `wake`.
    """

    def __init__(
        self, database: Database, embedder: Embedder | None, embedded: Callable[[str, Iterable[int]], None]
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._embedded = embedded
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
                await self._drain(first)
                first = False
            except HearthError as error:
                log.warning("memories wait for their vectors: %s", error)
            except Exception:  # the top of the task: it must go on with the next wake
                log.exception("embedding memories failed")
            if not self._wanted.is_set():
                self._settled.set()

    async def _drain(self, first: bool) -> None:
        embedder = self._embedder
        if embedder is None or not await embedder.available():
            return
        if first:
            await self._database.write(lambda connection: store.enqueue_missing(connection, embedder.id))
        while (batch := await self._database.read(lambda connection: store.waiting(connection, _BATCH))) is not None:
            await self._embed(embedder, batch)
        if first:
            await self._database.write(lambda connection: store.drop_other_models(connection, embedder.id))

    async def _embed(self, embedder: Embedder, batch: store.Waiting) -> None:
        texts = [part for _, _, text, window in batch.rows for part in ((text, window) if window != text else (text,))]
        vectors = dict(zip(texts, await embedder.embed(texts), strict=True)) if texts else {}
        rows = [
            (rowid, part, vectors[value].tobytes())
            for rowid, _, text, window in batch.rows
            for part, value in (("text", text), ("window", window))
        ]
        await self._database.write(
            lambda connection: store.put_vectors(connection, embedder.id, embedder.dim, rows, batch.up_to)
        )
        for space in {space for _, space, _, _ in batch.rows}:
            self._embedded(space, [rowid for rowid, of, _, _ in batch.rows if of == space])

    async def _merge_forgotten(self) -> None:
        if not self._forgotten:
            return
        self._forgotten, first = False, True
        while await self._database.write(lambda connection, first=first: store.merge_words(connection, first)):
            first = False
