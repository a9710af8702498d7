"""OpenAI's responses: a conversation that a program goes on with by the id of the last answer.

Nothing of it enters memory. What is stored is the asking program's own, is seen by it alone, and goes after 30 days.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from hearth_backend import ids
from hearth_backend.api import problems
from hearth_backend.api.compat.remembered import Remembered, citing
from hearth_backend.api.compat.response_bodies import ResponseBody
from hearth_backend.api.compat.response_pieces import Told, pieces
from hearth_backend.api.endpoint import Endpoint, delete, get, post
from hearth_backend.api.exchange import Call, Reply, Stream
from hearth_backend.gateway.messages import ChatEvent, Models
from hearth_backend.services import Services
from hearth_backend.storage.responses import KeptResponse
from hearth_shared.errors import Cancelled
from hearth_shared.protocol.principals import Scope

_WAITING: Final = 64  # events of an answer that is read slowly; then the model waits
Queue = asyncio.Queue[ChatEvent | Exception | None]


class Responses:
    """`/v1/responses`."""

    def __init__(self, services: Services) -> None:
        self._models: Models = services.models
        self._kept = services.responses
        self._remembered = Remembered(services)
        self._live: dict[tuple[str, str], asyncio.Task[None]] = {}

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        routes = (
            post(
                "/v1/responses",
                ResponseBody,
                self.create,
                "Answer, or go on from an earlier answer.",
                kind="model",
                dialect="openai",
            ),
            get("/v1/responses/{response_id}", self.get, "An answer that was stored.", dialect="openai"),
            delete("/v1/responses/{response_id}", self.remove, "Forget a stored answer.", dialect="openai"),
            get("/v1/responses/{response_id}/input_items", self.input, "What it answered.", dialect="openai"),
            # OpenAI's clients send no body here.
            Endpoint(
                method="POST",
                path="/v1/responses/{response_id}/cancel",
                run=self.cancel,
                summary="Stop an answer in the making.",
                dialect="openai",
            ),
        )
        return tuple(route.needing(Scope.CHAT) for route in routes)

    async def create(self, call: Call, body: ResponseBody) -> Reply | Stream:
        """In pieces or whole; kept once it is whole."""
        owner, previous = call.principal.owner, body.previous_response_id
        before = await self._kept.conversation(owner, previous) if previous else []
        request, entries = await self._remembered.beside(call, body.asked(before))
        told = Told(ids.new("resp"), int(time.time()), body)
        events = self._cancellable(owner, told, self._models.chat(request, call.caller("chat")))
        answered = self._keeping(owner, body, told, pieces(told, events))
        if body.stream:
            return citing(Stream(answered, lambda error, request_id: told.failed(error)), entries)
        async with aclosing(answered) as all_of_it:
            async for _ in all_of_it:
                pass
        return citing(Reply(problems.dump(told.answer)), entries)

    async def get(self, call: Call) -> Reply:
        """Raises NotFound, also for another's."""
        kept = await self._kept.get(call.principal.owner, call.params["response_id"])
        return Reply(problems.dump(kept.answer))

    async def remove(self, call: Call) -> Reply:
        """Raises NotFound, also for another's."""
        id = call.params["response_id"]
        await self._kept.remove(call.principal.owner, id)
        return Reply(problems.dump({"id": id, "object": "response", "deleted": True}))

    async def input(self, call: Call) -> Reply:
        """The items of its own turn."""
        kept = await self._kept.get(call.principal.owner, call.params["response_id"])
        listed = [{"id": f"{kept.id}_{number}", **item} for number, item in enumerate(kept.input)]
        ends = {"first_id": listed[0]["id"], "last_id": listed[-1]["id"]} if listed else {}
        return Reply(problems.dump({"object": "list", "data": listed, "has_more": False, **ends}))

    async def cancel(self, call: Call) -> Reply:
        """Stops it if it is being made; one that is made stays as it is. Raises NotFound."""
        id = call.params["response_id"]
        if task := self._live.get((call.principal.owner, id)):
            task.cancel()
            return Reply(problems.dump({"id": id, "object": "response", "status": "cancelled"}))
        return await self.get(call)

    async def _keeping(
        self, owner: str, body: ResponseBody, told: Told, answered: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        """The pieces, the last of which is told once the answer is on disk."""
        async with aclosing(answered) as all_of_it:
            async for piece in all_of_it:
                if body.stores and told.whole:
                    kept = KeptResponse(told.answer["id"], body.previous_response_id, body.items(), told.answer)
                    await self._kept.keep(owner, kept)
                yield piece

    async def _cancellable(
        self, owner: str, told: Told, events: AsyncGenerator[ChatEvent]
    ) -> AsyncGenerator[ChatEvent]:
        """The model's events, read in a task of their own that `cancel` can end at any moment."""
        queue: Queue = asyncio.Queue(_WAITING)
        key = owner, str(told.answer["id"])
        self._live[key] = asyncio.create_task(_read_into(queue, events))
        try:
            while (said := await queue.get()) is not None:
                if isinstance(said, Exception):
                    raise said
                yield said
        finally:
            task = self._live.pop(key)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _read_into(queue: "Queue", events: AsyncGenerator[ChatEvent]) -> None:
    try:
        async with aclosing(events) as all_of_it:
            async for event in all_of_it:
                await queue.put(event)
    except asyncio.CancelledError:
        await queue.put(Cancelled("The answer was stopped.", "Ask again."))
    except Exception as error:  # the top of a task: whoever reads the queue raises it
        await queue.put(error)
    else:
        await queue.put(None)
