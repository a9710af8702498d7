"""What the rest of Hearth asks of memory: remember, search, recall, list, forget."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from importlib.resources.abc import Traversable
from typing import Any

from hearth_backend.memory import documents, keeping_store, store, vector_store
from hearth_backend.memory.changes import Changes
from hearth_backend.memory.embedders import SearchedModel
from hearth_backend.memory.exporting import Exporting
from hearth_backend.memory.finding import Finding
from hearth_backend.memory.forgetting import Forgetting
from hearth_backend.memory.importing import Importing
from hearth_backend.memory.index import Index
from hearth_backend.memory.outbox import Outbox
from hearth_backend.memory.ports import Elsewhere, Embedder
from hearth_backend.memory.retention import Retention
from hearth_backend.memory.search import Search
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection
from hearth_shared.errors import BadRequest, NotFound
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.memory import (
    EpisodeBatch,
    EpisodeList,
    ForgetRequest,
    Forgotten,
    SearchRequest,
    SearchResult,
    StoredEpisodes,
)
from hearth_shared.protocol.principals import MAIN_SPACE
from hearth_shared.protocol.tasks import FileText, Source
from hearth_shared.settings import Memory as MemorySettings

Emit = Callable[[EventType, Mapping[str, Any]], Awaitable[None]]


class Memory:
    """The room's front. `spaces` in every call are those the asker may see; another one is NotFound.
    Hearth's own help is a space that can be read, never written.

    Between `start` and `close` what was stored is embedded in the background. Without an embedder, or without its
    weights, all of it works by words.
    """

    def __init__(
        self,
        database: Database,
        embedder: Embedder | None,
        settings: MemorySettings,
        emit: Emit,
        *,
        questions: Embedder | None = None,
        elsewhere: Sequence[Elsewhere] = (),
        index: Index | None = None,
        former: Callable[[str], Embedder | None] = lambda model: None,
        help: Traversable | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`questions` embeds what is asked, where the model reads a question otherwise than what it is sought in."""
        self._database = database
        self._emit = emit
        self._help = help or documents.shipped()
        self._clock = clock
        self._idle_s = settings.embedder_idle_s
        self._used = 0.0
        self._rest: asyncio.TimerHandle | None = None
        self.index = index
        self._models = SearchedModel(embedder, former, questions) if embedder else None
        self._search = Search(
            database,
            self._models,
            index,
            large=settings.exact_below,
            now=lambda: datetime.fromtimestamp(clock()).astimezone(),
        )
        self._finding = Finding(database, self._search)
        self._model = embedder.id if embedder else ""
        self._asked = False
        self._outbox = Outbox(database, self._models, self._embedded, self._switched)
        self._changes = Changes(self._search.shelves, self._outbox, index)
        window_s = settings.undo_minutes * 60
        self.forgetting = Forgetting(database, self._changes, elsewhere, emit, window_s=window_s, clock=clock)
        self.retention = Retention(database, self.forgetting, settings.keep_days, clock=clock)
        self.exporting = Exporting(database, clock=clock)
        self.importing = Importing(database, self._changes, emit, database.path.parent)

    async def start(self) -> None:
        """Bring Hearth's own help up to date, and go on embedding what an earlier run left.

        New help alone does not load the embedding model; that waits for the first question.
        """
        await self._read_help()
        if self._models is not None:
            self._models.search_with(await self._database.write(vector_store.settle_searched_model))
        if self.index is not None:
            self.index.start(self._models.id if self._models else "")
        self._outbox.start()
        if await self._database.read(
            lambda connection: vector_store.is_work_left(connection, self._model, documents.SPACE)
        ):
            self._outbox.wake()
        await self.forgetting.bin.start()
        await self.retention.start()

    async def close(self) -> None:
        """Stop the background work; what waits goes on at the next start."""
        if self._rest is not None:
            self._rest.cancel()
        self.importing.close()
        await self.retention.close()
        await self.forgetting.bin.close()
        await self._outbox.close()
        await self._search.close()
        if self.index is not None:
            await self.index.close()

    async def settled(self) -> None:
        """Wait until everything stored so far is embedded, and what is forgotten for good erased, as far as that can
        be done now."""
        await self._outbox.settled()
        await self.retention.settled()
        await self.forgetting.bin.settled()

    async def counts(self) -> dict[str, int]:
        """Episodes, passages of Hearth's help, and rows that wait to be embedded."""
        return await self._database.read(lambda connection: store.counts(connection, documents.SPACE))

    async def spaces(self) -> frozenset[str]:
        """Every space of the person's that there is; `main` always is, Hearth's help is none of them."""
        stored = await self._database.read(store.spaces)
        return frozenset({MAIN_SPACE, *stored}) - {documents.SPACE}

    # -- keeping

    async def remember(
        self,
        batch: EpisodeBatch,
        *,
        spaces: Collection[str],
        thread_id: str | None = None,
        trusted: bool = True,
        door: str = "",
    ) -> StoredEpisodes:
        """Store what is new of a batch, in one transaction; answers when it is on disk and can be found by words."""
        _check(batch.space, set(spaces) - {documents.SPACE})
        added = await self._database.write(
            lambda connection: store.add(
                connection, batch.space, batch.episodes, thread_id, trusted, self._clock(), door
            ),
            committed=lambda added: self._changes.stored(batch.space, added.touched),
        )
        if added.new:
            self.retention.wake()
            await self._emit(EventType.MEMORY_STORED, {"space": batch.space, "ids": added.ids, "new": added.new})
        return StoredEpisodes(ids=added.ids, new=added.new)

    async def forget(self, request: ForgetRequest, spaces: Collection[str]) -> Forgotten:
        """Forget episodes and all that rests on them alone; `forgetting` also brings them back."""
        seen = set(spaces) - {documents.SPACE}
        return await (
            self.forgetting.would(request, seen) if request.dry_run else self.forgetting.forget(request, seen)
        )

    # -- finding

    async def search(self, request: SearchRequest, spaces: Collection[str]) -> SearchResult:
        """The best hits of one space, each with the reasons for its rank."""
        _check(request.space, spaces)
        self._stay_awake()
        found = await self._finding.hits(request)
        self._after_first_question()
        return found

    async def recall(self, question: str, spaces: Collection[str], *, token_budget: int = 1200) -> Sequence[Source]:
        """The best passages over all `spaces` and Hearth's own help, numbered from 1; none when nothing fits."""
        self._stay_awake()
        found = await self._finding.passages(question, spaces, token_budget=token_budget)
        self._after_first_question()
        return found

    async def rank_passages(self, question: str, given: Sequence[FileText], k: int = 6) -> Sequence[Source]:
        """The best passages of files that lie beside a question, numbered from 1; nothing is stored."""
        return await self._finding.passages_of(question, given, k)

    async def list(
        self, space: str, spaces: Collection[str], *, limit: int = 50, after: str | None = None
    ) -> EpisodeList:
        """A space's episodes, newest first; `after` is the `next` of an earlier list."""
        _check(space, spaces)
        place = None if after is None else _place(after)
        rows = await self._database.read(lambda connection: store.newest(connection, space, limit + 1, place))
        shown = rows[:limit]
        more = f"{shown[-1]['occurred_at']!r}/{shown[-1]['rowid']}" if len(rows) > limit else None
        return EpisodeList(episodes=[store.episode(row) for row in shown], next=more)

    async def staying(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of these episodes that must stay on this machine."""
        return await self._database.read(lambda connection: keeping_store.staying(connection, ids))

    # -- inside

    async def _read_help(self) -> None:
        pages = await asyncio.to_thread(documents.read, self._help)
        stored = await self._database.read(lambda connection: store.keyed_hashes(connection, documents.SPACE))
        gone, new = documents.changes(pages, stored)
        if not gone and not new:
            return

        def replace(connection: Connection) -> None:
            store.remove(connection, store.by_ids(connection, gone, [documents.SPACE]))
            store.add(connection, documents.SPACE, new, None, True, self._clock())

        await self._database.write(replace)
        self._search.shelves.discard(documents.SPACE)

    def _embedded(self, space: str, rowids: Iterable[int]) -> None:
        self._search.shelves.mark(space, rowids)
        if self.index is not None:
            self.index.wake()

    def _switched(self) -> None:
        self._search.shelves.clear()
        if self.index is not None and self._models is not None:
            self.index.search_with(self._models.id)

    def _stay_awake(self) -> None:
        """The shelves go after a while without a search; one timer, and none while nothing is held."""
        loop = asyncio.get_running_loop()
        self._used = loop.time()
        if self._rest is None:
            self._rest = loop.call_later(self._idle_s, self._maybe_rest)

    def _after_first_question(self) -> None:
        """The model is loaded now: what waited for that may be embedded, behind the question."""
        if not self._asked:
            self._asked = True
            self._outbox.wake()

    def _maybe_rest(self) -> None:
        loop = asyncio.get_running_loop()
        left = self._used + self._idle_s - loop.time()
        if left > 0:
            self._rest = loop.call_later(left, self._maybe_rest)
        else:
            self._rest = None
            self._search.shelves.clear()


def _check(space: str, spaces: Collection[str]) -> None:
    if space not in spaces:
        raise NotFound(f"There is no space `{space}` here.", "Name a space that you may see, such as `main`.")


def _place(cursor: str) -> tuple[float, int]:
    at, _, rowid = cursor.partition("/")
    try:
        return float(at), int(rowid)
    except ValueError:
        raise BadRequest("`after` is not a place in this list.", "Give the `next` of an earlier answer.") from None
