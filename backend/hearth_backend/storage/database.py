"""One SQLite file: a single writer thread with group commit, and read-only connections for reads."""

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from hearth_backend.storage import driver
from hearth_backend.storage.driver import Connection, Row
from hearth_backend.storage.migrations import Migration, migrate
from hearth_shared.errors import HearthError, Overloaded, StorageFault

log = logging.getLogger(__name__)
T = TypeVar("T")
_BATCH = 512
_QUEUE = 20_000
_READERS = 2
_BUSY_S = 0.03  # so lately was the last COMMIT if there is much to write
_GATHER_S = 0.02  # what a person does not notice


@dataclass(slots=True)
class _Operation:
    """One closure to run inside the writer's transaction, and who waits for it."""

    work: Callable[[Connection], Any]
    committed: Callable[[Any], None] | None
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    is_patient: bool
    is_alone: bool = False
    result: Any = None
    error: BaseException | None = None


class Database:
    """`write` answers after COMMIT; `read` never waits for a writer.

    Every operation queued while one COMMIT runs joins the next transaction. When one of them fails, all are done again,
    each in a savepoint of its own, so a failing operation takes none with it. When the COMMIT itself fails (disk full),
    all of its operations fail and the writer goes on.
    """

    def __init__(self, path: Path, migrations: Sequence[Migration], *, synchronous: str = "FULL") -> None:
        self.path = path
        with contextlib.ExitStack() as undo:
            self._connection = driver.connect(path, synchronous=synchronous)
            undo.callback(self._connection.close)
            migrate(self._connection, path, migrations)
            self._peek = driver.connect(path, read_only=True)
            undo.pop_all()
        self._queue: queue.SimpleQueue[_Operation | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._committed_at = float("-inf")
        self._local = threading.local()
        self._readers: list[Connection] = []
        self._readers_lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix=f"read-{path.stem}")
        self._thread = threading.Thread(target=self._run, name=f"write-{path.stem}", daemon=True)
        self._thread.start()

    async def write(
        self, work: Callable[[Connection], T], committed: Callable[[T], None] | None = None, *, patient: bool = False
    ) -> T:
        """Run `work` in the writer's transaction; return its value once it is on disk.

        `committed` is called on the event loop with the value, in commit order, before any waiter resumes: it is
        where events are published. `work` runs in the writer thread, must be quick, and touches nothing but the
        connection: it may be run a second time. A caller that is cancelled while it waits does not take the operation
        back. A `patient` one may wait some milliseconds for company while there is much to write: a COMMIT of its own
        costs more CPU than everything else about it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._put(_Operation(work, cast("Callable[[Any], None] | None", committed), future, loop, patient))
        return await future

    async def alone(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in the writer thread outside any transaction: for what rewrites the whole file."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._put(_Operation(work, None, future, loop, is_patient=False, is_alone=True))
        return await future

    def _put(self, operation: _Operation) -> None:
        with self._gate:  # nothing is queued behind the end mark, where nobody would answer it
            if self._closed:
                raise _closed()
            if self._queue.qsize() >= _QUEUE:
                raise Overloaded("Too much is waiting to be stored.", "Try again in a second.", retry_after=1)
            self._queue.put(operation)

    async def execute(self, sql: str, args: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """`write` for a single statement; its rows, if it returns any."""
        return await self.write(lambda connection: connection.execute(sql, args).fetchall())

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a read-only connection in a reader thread."""
        if self._closed:
            raise _closed()
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)

    async def fetch(self, sql: str, args: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """`read` for a single query."""
        return await self.read(lambda connection: connection.execute(sql, args).fetchall())

    def peek(self, sql: str, args: Sequence[Any] | dict[str, Any] = ()) -> Row | None:
        """One row by an indexed key, on the caller's thread (the event loop's).

        A look-up of some 15 µs costs less than the hop to a thread; anything that scans belongs in `read`.
        """
        with driver.errors("read"):
            return self._peek.execute(sql, args).fetchone()

    async def close(self) -> None:
        """Commit what was accepted, let running reads end, close."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._thread.join()
        self._pool.shutdown()
        for connection in (*self._readers, self._peek, self._connection):  # the writer last: it checkpoints
            connection.close()

    def _read(self, work: Callable[[Connection], T]) -> T:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = driver.connect(self.path, read_only=True)
            with self._readers_lock:
                self._readers.append(connection)
        with driver.errors("read"):
            return work(connection)

    # -- the writer thread

    def _run(self) -> None:
        last = False
        while not last:
            batch, last = self._next()
            if together := [operation for operation in batch if not operation.is_alone]:
                self._commit(together)
            for operation in batch:
                if operation.is_alone:
                    self._do_alone(operation)

    def _next(self) -> tuple[list[_Operation], bool]:
        """All that waits, up to a batch; and whether the end mark, which is put once and last, came with it."""
        batch: list[_Operation] = []
        operation = self._queue.get()
        if operation is not None and operation.is_patient and time.monotonic() - self._committed_at < _BUSY_S:
            time.sleep(_GATHER_S)
        while operation is not None:
            batch.append(operation)
            if len(batch) == _BATCH or self._queue.empty():  # nobody else takes from it
                return batch, False
            operation = self._queue.get_nowait()
        return batch, True

    def _commit(self, operations: list[_Operation]) -> None:
        try:
            if not self._together(operations):
                self._apart(operations)
        except BaseException as error:  # the top of the writer: every waiter must hear, and the thread must live
            log.warning("a commit failed: %s", error)
            self._rollback()
            for operation in operations:  # an exception each: they are raised in tasks of their own
                operation.result, operation.error = None, operation.error or driver.translated(error, "commit")
        self._committed_at = time.monotonic()
        self._answer(operations)

    def _do_alone(self, operation: _Operation) -> None:
        try:
            operation.result = operation.work(self._connection)
        except BaseException as error:  # the waiter must hear, and the thread must live
            operation.error = driver.translated(error, "be rewritten") if driver.is_driver_error(error) else error
        self._answer([operation])

    def _together(self, operations: list[_Operation]) -> bool:
        """All in one transaction without a savepoint each, which nearly always goes well; whether it did."""
        self._connection.execute("begin immediate")
        try:
            for operation in operations:
                operation.result = operation.work(self._connection)
        except BaseException:  # whose fault it is, and whom it must not hurt, is found out one by one
            self._rollback()
            return False
        self._connection.execute("commit")
        return True

    def _apart(self, operations: list[_Operation]) -> None:
        self._connection.execute("begin immediate")
        for operation in operations:
            self._apply(operation)
        self._connection.execute("commit")

    def _apply(self, operation: _Operation) -> None:
        connection = self._connection
        connection.execute("savepoint operation")
        try:
            operation.result = operation.work(connection)
        except BaseException as error:
            if not connection.in_transaction:  # SQLite rolled everything back by itself (disk full, I/O error)
                raise
            connection.execute("rollback to operation")
            known = isinstance(error, HearthError) or not driver.is_driver_error(error)
            operation.error = error if known else driver.translated(error, "write")
        connection.execute("release operation")

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            with contextlib.suppress(Exception):
                self._connection.execute("rollback")

    @staticmethod
    def _answer(operations: list[_Operation]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Operation]] = {}
        for operation in operations:
            by_loop.setdefault(operation.loop, []).append(operation)
        for loop, group in by_loop.items():
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_resolve, group)


def _closed() -> StorageFault:
    return StorageFault("The database is closed.", "Start Hearth again with `hearth up`.")


def _resolve(operations: list[_Operation]) -> None:
    for operation in operations:
        if operation.error is None and operation.committed is not None:
            try:
                operation.committed(operation.result)
            except Exception:
                log.exception("an on-commit call failed")
    for operation in operations:
        if operation.future.done():
            continue
        if operation.error is not None:
            operation.future.set_exception(operation.error)
        else:
            operation.future.set_result(operation.result)
