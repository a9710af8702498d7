"""What happens, as it happens: server-sent events and a WebSocket, both resumable by `seq`."""

import contextlib
from collections.abc import AsyncGenerator

from pydantic import Field, TypeAdapter

from hearth_backend.api import event_stream
from hearth_backend.api.endpoint import Endpoint, find, websocket
from hearth_backend.api.exchange import Call, Listener, Stream
from hearth_backend.services import Services
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.base import Request
from hearth_shared.protocol.events import Event, EventGap
from hearth_shared.protocol.principals import Scope

_LARGEST = 2**63 - 1


class After(Request):
    """Where to go on: after this event. Without it, a run's events come from the first, all others from now on."""

    after_seq: int | None = Field(default=None, ge=0, le=_LARGEST)


class Follow(After):
    """Also how long to wait after each piece for what else happens: less to wake up for, at both ends."""

    stride_ms: int = Field(default=0, ge=0, le=10_000)


_AFTER = TypeAdapter(After)


class Events:
    """`/v1/events` and `/v1/tasks/{task_id}/events`."""

    def __init__(self, services: Services) -> None:
        self._events = services.events
        self._runs = services.runs

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (
            find(
                "/v1/tasks/{task_id}/events",
                Follow,
                self.of_task,
                "A task's events as server-sent events, until it has ended. Resume by Last-Event-ID or after_seq.",
                kind="lasting",
            ).needing(Scope.TASKS, Scope.CHAT),
            find(
                "/v1/events",
                Follow,
                self.all,
                "All events that this principal may see, as server-sent events.",
                kind="lasting",
            ).needing(Scope.TASKS, Scope.CHAT),
            websocket("/v1/events", self.listen, "The same over a WebSocket: one event per message.").needing(
                Scope.TASKS, Scope.CHAT
            ),
        )

    async def of_task(self, call: Call, asked: Follow) -> Stream:
        """One run's, from its first event unless told otherwise."""
        task = await self._runs.get(call.requester(), call.params["task_id"])
        events = self._events.follow(call.principal.owner, after_seq=_seq(call, asked), run_id=task.id)
        return event_stream.stream(events, asked.stride_ms / 1000)

    async def all(self, call: Call, asked: Follow) -> Stream:
        """Until the client goes. What happens once the head is out is told, however late the first event is read."""
        return event_stream.stream(await self._followed(call, asked), asked.stride_ms / 1000)

    async def listen(self, call: Call, socket: Listener) -> None:
        """Until either side goes; the same holds once the socket is open."""
        events = await self._followed(call, call.query(_AFTER))
        await socket.open()
        async with contextlib.aclosing(events):
            async for event in events:
                await socket.send(event.model_dump_json())

    async def _followed(self, call: Call, after: After) -> AsyncGenerator[Event | EventGap]:
        place = _seq(call, after)
        place = await self._events.now() if place is None else place
        return self._events.follow(call.principal.owner, after_seq=place)


def _seq(call: Call, after: After) -> int | None:
    last = call.header(b"last-event-id").strip()
    if not last:
        return after.after_seq
    if not (last.isascii() and last.isdigit()) or int(last[:20]) > _LARGEST:
        raise BadRequest("Last-Event-ID is not the number of an event.", "Send the `id` of the last event you got.")
    return int(last)
