"""What becomes of memories: forgetting them, and bringing them back."""

from hearth_backend.api.endpoint import Endpoint, get, post
from hearth_backend.api.exchange import Call
from hearth_backend.services import Services
from hearth_shared.errors import Forbidden
from hearth_shared.protocol.memory import ForgetRequest, Forgotten, Restored, RestoreRequest, UndoList
from hearth_shared.protocol.principals import Scope


class Keeping:
    """`/v1/memory/forget` and its way back."""

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
            ),
            get("/v1/memory/forgotten", self.list, "What can still be brought back, newest first.", answer=UndoList),
            post(
                "/v1/memory/restore",
                RestoreRequest,
                self.restore,
                "Bring back what was forgotten last, or by its undo_id, while that can be done.",
                answer=Restored,
            ),
        )
        return tuple(route.needing(Scope.MEMORY_WRITE) for route in routes)

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

    async def _spaces(self, call: Call) -> frozenset[str]:
        if not call.principal.is_first_party:
            return call.principal.spaces
        forgotten = await self._memory.forgetting.bin.spaces()
        return await self._memory.spaces() | forgotten
