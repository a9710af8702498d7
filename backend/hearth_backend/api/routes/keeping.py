"""What becomes of memories: forgetting them and bringing them back, exporting and importing them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from hearth_backend.api.endpoint import Endpoint, find, get, post
from hearth_backend.api.exchange import Call, Stream
from hearth_backend.memory.importing import Giver
from hearth_backend.services import Services
from hearth_shared.errors import Forbidden, HearthError
from hearth_shared.protocol.memory import ForgetRequest, Forgotten, Restored, RestoreRequest, RetentionReport, UndoList
from hearth_shared.protocol.principals import Door, Scope
from hearth_shared.protocol.transfer import ExportQuery, Imported, ImportRequest

_MEDIA = {"jsonl": b"application/x-ndjson", "markdown": b"text/markdown; charset=utf-8"}


class Keeping:
    """`/v1/memory/forget` and its way back, `export` and `import`."""

    def __init__(self, services: Services) -> None:
        self._memory = services.memory

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        routes = (
            post(
                "/v1/memory/forget",
                ForgetRequest,
                self.forget,
                "Forget by id, thread, source, site, project or time; with dry_run, say what would go.",
                answer=Forgotten,
                kind="lasting",
            ),
            get("/v1/memory/forgotten", self.list, "What can still be brought back, newest first.", answer=UndoList),
            post(
                "/v1/memory/restore",
                RestoreRequest,
                self.restore,
                "Bring back what was forgotten last, or by its undo_id, while that can be done.",
                answer=Restored,
                kind="lasting",
            ),
        )
        return (
            *(route.needing(Scope.MEMORY_WRITE) for route in routes),
            find(
                "/v1/memory/export",
                ExportQuery,
                self.export,
                "All of memory as JSON lines or Markdown, in pieces.",
                kind="lasting",
            ).needing(Scope.MEMORY_READ),
            get(
                "/v1/memory/retention",
                self.retention,
                "How long memories are kept, and what went lately.",
                answer=RetentionReport,
            ).needing(Scope.SETTINGS),
            post(
                "/v1/memory/import",
                ImportRequest,
                self.take,
                "Import what was exported, whole or not at all; a large file in parts.",
                answer=Imported,
                kind="lasting",
            ).needing(Scope.MEMORY_WRITE),
        )

    async def forget(self, call: Call, body: ForgetRequest) -> Forgotten:
        """In the spaces that the requester sees; a thread is the person's own."""
        if body.thread_id is not None and not call.principal.is_first_party:
            raise Forbidden("A program may not forget a thread.", "Name ids, a source, a site, a project or a time.")
        return await self._memory.forget(body, await self._spaces(call))

    async def list(self, call: Call) -> UndoList:
        """All of it in the spaces that the requester sees."""
        return await self._memory.forgetting.list(await self._spaces(call))

    async def restore(self, call: Call, body: RestoreRequest) -> Restored:
        """All of it in the spaces that the requester sees."""
        return await self._memory.forgetting.restore(body, await self._spaces(call))

    async def export(self, call: Call, query: ExportQuery) -> Stream:
        """The person's own doors see all; a program sees its spaces, and nothing that is to stay on this machine."""
        who = call.principal
        spaces = await self._memory.exporting.spaces() if who.is_first_party else who.spaces
        pieces = self._memory.exporting.pieces(query.format, spaces, query.space, private=who.is_first_party)
        return Stream(_encoded(pieces), _broken, _MEDIA[query.format])

    async def retention(self, call: Call) -> RetentionReport:
        """By the rules of the settings."""
        return await self._memory.retention.report()

    async def take(self, call: Call, body: ImportRequest) -> Imported:
        """One part of a file."""
        who = call.principal
        own = who.is_first_party and who.door is not Door.BROWSER
        whole = who.door in (Door.TRAY, Door.CLI)
        giver = Giver(who.spaces, who.door.value, whole=whole, sees_all=own, by=who.name)
        done = await self._memory.importing.take(body, giver)
        if done.new:
            self._memory.retention.wake(anew=True)
        return done

    async def _spaces(self, call: Call) -> frozenset[str]:
        if not call.principal.is_first_party:
            return call.principal.spaces
        forgotten = await self._memory.forgetting.bin.spaces()
        return await self._memory.spaces() | forgotten


async def _encoded(pieces: AsyncGenerator[str]) -> AsyncGenerator[bytes, None]:
    async with aclosing(pieces):
        async for piece in pieces:
            yield piece.encode()


def _broken(error: HearthError, request_id: str) -> bytes:
    """A file that breaks off has no end mark, and is refused when it is imported."""
    return b""
