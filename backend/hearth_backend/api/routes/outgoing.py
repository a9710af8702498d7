"""What a question would send, shown before it is asked."""

from hearth_backend import ids
from hearth_backend.agent.routing import DEFAULT
from hearth_backend.agent.run_view import RunView
from hearth_backend.api.beside import Beside
from hearth_backend.api.endpoint import Endpoint, post
from hearth_backend.api.exchange import Call
from hearth_backend.services import Services
from hearth_shared.errors import HearthError
from hearth_shared.protocol.outgoing import Outgoing as Shown
from hearth_shared.protocol.outgoing import OutgoingRequest
from hearth_shared.protocol.principals import Scope
from hearth_shared.protocol.tasks import Lane
from hearth_shared.protocol.threads import ThreadMessage


class Outgoing:
    """`/v1/outgoing`."""

    def __init__(self, services: Services) -> None:
        self._threads = services.threads
        self._preview = services.preview
        self._departures = services.departures
        self._beside = Beside(services.working, services.consents)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The route."""
        route = post(
            "/v1/outgoing",
            OutgoingRequest,
            self.show,
            "What a question would send, and to whom; nothing is sent, answered or kept.",
            answer=Shown,
        )
        return (route.needing(Scope.CHAT),)

    async def show(self, call: Call, body: OutgoingRequest) -> Shown:
        """All that comes before the first call to a model is done; the call itself is not."""
        asked = await self._preview.first_call(await self._run(call, body))
        if asked.request is None or asked.caller is None:
            return Shown(calls=[], notes=[*asked.notes])
        try:
            return Shown(calls=await self._departures.of(asked.request, asked.caller), notes=[*asked.notes])
        except HearthError as error:
            return Shown(calls=[], notes=[*asked.notes, str(error)])

    async def _run(self, call: Call, body: OutgoingRequest) -> RunView:
        context, local_only = self._beside.ready(call.principal, body.context, local_only=body.local_only)
        requester, agent_id, history = call.requester(), DEFAULT, list[ThreadMessage]()
        if body.thread_id is not None:
            thread = await self._threads.so_far(requester, body.thread_id)
            agent_id, history = thread.agent_id, thread.messages
            local_only = local_only or thread.local_only
        return RunView(
            id=ids.new("run"),
            agent_id=agent_id,
            thread_id=body.thread_id,
            goal=body.text,
            context=context,
            history=tuple(history),
            lane=Lane.CHAT,
            door=requester.door.value,
            owner=requester.owner,
            principal=requester.principal,
            spaces=requester.spaces,
            local_only=local_only,
            attempt=1,
            seconds_left=None,
        )
