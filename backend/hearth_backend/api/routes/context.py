"""What a surface sees now, and what the person allows to be read and kept."""

from typing import Final

from pydantic import Field

from hearth_backend.api.endpoint import Endpoint, find, get, post
from hearth_backend.api.exchange import Call
from hearth_backend.services import Services
from hearth_shared.errors import Forbidden
from hearth_shared.protocol.base import Request
from hearth_shared.protocol.context import Consent, ConsentList, ConsentRequest, Level, Seen, SeenList, SeenRequest
from hearth_shared.protocol.principals import Door, Scope
from hearth_shared.sites import named, site_of, with_wider

_DECIDE_FOR_ALL: Final = frozenset({Door.TRAY, Door.CLI})


class ConsentFilter(Request):
    """Whose decisions to list; with a subject, also what holds for it."""

    door: Door | None = None
    subject: str | None = Field(default=None, min_length=1, max_length=256)


class Context:
    """`/v1/context` and `/v1/consents`."""

    def __init__(self, services: Services) -> None:
        self._working = services.working
        self._consents = services.consents

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        routes = (
            get("/v1/context", self.seen, "What the person's surfaces see now, newest first.", answer=SeenList),
            post(
                "/v1/context",
                SeenRequest,
                self.see,
                "Say what a surface sees; held for an hour in memory alone.",
                answer=Seen,
                status=201,
            ),
            find(
                "/v1/consents",
                ConsentFilter,
                self.list,
                "What the person allows, by door and site.",
                answer=ConsentList,
            ),
            post(
                "/v1/consents",
                ConsentRequest,
                self.decide,
                "Allow a site nothing (off), keeping on request (ask), or keeping (remember).",
                method="PUT",
                answer=Consent,
            ),
        )
        return tuple(route.needing(Scope.CONTEXT) for route in routes)

    async def seen(self, call: Call) -> SeenList:
        """The requester's own."""
        return self._working.list(call.principal.owner)

    async def see(self, call: Call, body: SeenRequest) -> Seen:
        """Nothing of a site that the person said no to."""
        who = call.principal
        self._consents.check(who.door.value, [body.url])
        site = site_of(body.url)
        level: Level = self._consents.level(who.door.value, site) if site else "ask"
        return self._working.put(who.owner, who.name, who.door.value, body, level)

    async def list(self, call: Call, chosen: ConsentFilter) -> ConsentList:
        """A door sees its own; the tray and the command line see all."""
        door = chosen.door if call.principal.door in _DECIDE_FOR_ALL else call.principal.door
        if chosen.subject is not None and door is None:
            door = Door.BROWSER
        return await self._consents.list(None if door is None else door.value, chosen.subject)

    async def decide(self, call: Call, body: ConsentRequest) -> Consent:
        """What is held of a site goes at once when the person says no to it."""
        own = call.principal.door
        door = own if body.door is None else body.door
        if door is not own and own not in _DECIDE_FOR_ALL:
            raise Forbidden("A door may decide for itself alone.", "Decide in the tray, or with this door's own sites.")
        consent = await self._consents.put(door.value, body.subject, body.level)
        if consent.level == "off":
            self._working.forget(lambda seen: _is_of(seen, consent))
        return consent


def _is_of(seen: Seen, consent: Consent) -> bool:
    site = site_of(seen.url)
    return bool(site) and seen.door == consent.door and named(consent.subject) in with_wider(site)
