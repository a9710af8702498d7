"""Programs that were given a token, and what the editors were granted."""

from hearth_backend.api.endpoint import Endpoint, delete, get, post
from hearth_backend.api.exchange import Call
from hearth_backend.services import Services
from hearth_shared.protocol.principals import Client, ClientList, EditorGrant, NewToken, Scope, TokenRequest


class Clients:
    """`/v1/clients`."""

    def __init__(self, services: Services) -> None:
        self._clients = services.clients

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        routes = (
            get("/v1/clients", self.list, "Programs with a token, newest first.", answer=ClientList),
            post(
                "/v1/clients", TokenRequest, self.create, "Make a token; it is shown once.", answer=NewToken, status=201
            ),
            post(
                "/v1/clients/editors",
                EditorGrant,
                self.let_editors_decide,
                "Let the editors decide approvals; an older grant ends.",
                answer=Client,
                status=201,
            ),
            delete(
                "/v1/clients/{client_id}",
                self.revoke,
                "Revoke a token or a grant: what its program has open ends at once.",
                answer=Client,
            ),
        )
        return tuple(route.needing(Scope.CLIENTS) for route in routes)

    async def list(self, call: Call) -> ClientList:
        """Also those whose token has ended."""
        return await self._clients.list()

    async def create(self, call: Call, body: TokenRequest) -> NewToken:
        """The only time that the token is seen."""
        return await self._clients.create(body)

    async def let_editors_decide(self, call: Call, body: EditorGrant) -> Client:
        """For doors that may manage clients, which no editor is."""
        return await self._clients.let_editors_decide(body.days)

    async def revoke(self, call: Call) -> Client:
        """For good."""
        return await self._clients.revoke(call.params["client_id"])
