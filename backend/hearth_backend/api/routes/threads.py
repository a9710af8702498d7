"""Conversations, shared by all doors."""

from pydantic import Field

from hearth_backend.api import event_stream
from hearth_backend.api.beside import Beside
from hearth_backend.api.endpoint import Endpoint, find, get, post
from hearth_backend.api.exchange import Call, Reply, Stream
from hearth_backend.services import Services
from hearth_shared.protocol.base import Request
from hearth_shared.protocol.principals import Scope
from hearth_shared.protocol.tasks import TaskAccepted
from hearth_shared.protocol.threads import (
    FeedbackRequest,
    MessageRequest,
    Thread,
    ThreadDetail,
    ThreadList,
    ThreadMessage,
    ThreadRequest,
    WorkingMemory,
    WorkingRequest,
)


class ThreadPage(Request):
    """Which threads to list."""

    limit: int = Field(default=50, ge=1, le=500)
    after: str | None = Field(default=None, max_length=256, description="`next` of the page before")


class Threads:
    """`/v1/threads`."""

    def __init__(self, services: Services) -> None:
        self._threads = services.threads
        self._at_hand = services.at_hand
        self._runs = services.runs
        self._events = services.events
        self._metrics = services.metrics
        self._beside = Beside(services.working, services.consents)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        routes = (
            find("/v1/threads", ThreadPage, self.list, "Threads, last used first.", answer=ThreadList),
            post("/v1/threads", ThreadRequest, self.create, "Begin a thread.", answer=Thread, status=201),
            get("/v1/threads/{thread_id}", self.get, "A thread with its turns.", answer=ThreadDetail),
            post(
                "/v1/threads/{thread_id}/messages",
                MessageRequest,
                self.say,
                "Say something: 202 with the run's id, or its events when Accept asks for text/event-stream."
                " Takes an Idempotency-Key.",
                answer=TaskAccepted,
                status=202,
                kind="lasting",
            ),
            post(
                "/v1/threads/{thread_id}/feedback",
                FeedbackRequest,
                self.feedback,
                "Rate an answer.",
                answer=ThreadMessage,
            ),
            get(
                "/v1/threads/{thread_id}/working",
                self.working,
                "What a thread has at hand: turns and tool results of the last hour, and what is worked on.",
                answer=WorkingMemory,
            ),
            post(
                "/v1/threads/{thread_id}/working",
                WorkingRequest,
                self.work_on,
                "Say what is worked on, for an hour; 409 with both versions when the thread has gone on since.",
                method="PUT",
                answer=WorkingMemory,
            ),
        )
        return tuple(route.needing(Scope.CHAT) for route in routes)

    async def list(self, call: Call, page: ThreadPage) -> ThreadList:
        """The requester's own."""
        return await self._threads.list(call.requester(), limit=page.limit, after=page.after)

    async def create(self, call: Call, body: ThreadRequest) -> Thread:
        """A new one."""
        return await self._threads.create(call.requester(), body)

    async def get(self, call: Call) -> ThreadDetail:
        """One of the requester's own."""
        return await self._threads.get(call.requester(), call.params["thread_id"])

    async def say(self, call: Call, body: MessageRequest) -> Reply | Stream:
        """The message and its run are on disk before anything is answered."""
        context, local_only = self._beside.ready(call.principal, body.context, local_only=body.local_only)
        if context is not body.context:
            body = body.model_copy(update={"context": context, "local_only": local_only})
        accepted = await self._runs.say(
            call.requester(), call.params["thread_id"], body, idempotency_key=call.idempotency_key()
        )
        if not call.wants_events():
            return Reply(accepted.model_dump_json().encode(), 202)
        return event_stream.stream(self._events.follow(call.principal.owner, after_seq=None, run_id=accepted.task_id))

    async def feedback(self, call: Call, body: FeedbackRequest) -> ThreadMessage:
        """The message, rated."""
        rated = await self._threads.feedback(call.requester(), call.params["thread_id"], body)
        self._metrics.feedback(body.rating)
        return rated

    async def working(self, call: Call) -> WorkingMemory:
        """Of one of the requester's own threads."""
        who = call.principal
        return await self._at_hand.get(who.owner, call.params["thread_id"], outside=not who.is_first_party)

    async def work_on(self, call: Call, body: WorkingRequest) -> WorkingMemory:
        """Compare and set."""
        who = call.principal
        return await self._at_hand.put(who.owner, call.params["thread_id"], body, who.door.value)
