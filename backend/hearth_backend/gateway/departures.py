"""What would be sent, to whom, if a call were made now: the same routes, marks and bodies, and nobody is asked."""

from contextlib import aclosing
from dataclasses import replace

from hearth_backend.gateway.masking import masked_chat
from hearth_backend.gateway.messages import Caller, ChatRequest
from hearth_backend.gateway.policy import Route, Router
from hearth_backend.gateway.remote import Remote
from hearth_shared.protocol.outgoing import OutgoingCall


class Departures:
    """Looks at the routes of a call. Servers may be asked which models they have, as for any listing."""

    def __init__(self, router: Router) -> None:
        self._router = router

    async def of(self, request: ChatRequest, caller: Caller) -> list[OutgoingCall]:
        """Each model in turn. Raises what the call itself would: NoModel, LocalOnly, NotFound."""
        async with aclosing(self._router.routes("chat", request.model, local_only=caller.local_only)) as routes:
            return [await _to(route, request) async for route in routes]


async def _to(route: Route, request: ChatRequest) -> OutgoingCall:
    provider, named = route.provider, replace(request, model=route.model)
    stays = OutgoingCall(model=route.id, provider=provider.name, where=provider.where)
    if provider.where == "this machine" or not isinstance(provider, Remote):
        return stays
    if provider.where != "cloud":
        url, body = await provider.outgoing(named)
        return stays.model_copy(update={"url": url, "body": dict(body)})
    hidden, vault = masked_chat(named)
    url, body = await provider.outgoing(hidden)
    return stays.model_copy(update={"url": url, "body": dict(body), "hidden": vault.marks()})
