"""Providers' keys: written to the keyring, never shown."""

import asyncio
import re
from typing import Final

from pydantic import SecretStr

from hearth_backend.api.endpoint import Endpoint, delete, get, post
from hearth_backend.api.exchange import Call
from hearth_backend.gateway.providers import PRESETS
from hearth_backend.services import MODEL_HUB, Services
from hearth_shared.errors import BadRequest, NotFound
from hearth_shared.protocol.models import KeyList, KeyRequest, KeyState, KeyTest, KeyTestRequest
from hearth_shared.protocol.principals import Scope

_PROVIDER: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Keys:
    """`/v1/keys`."""

    def __init__(self, services: Services) -> None:
        self._secrets = services.secrets
        self._models = services.models
        self._names = sorted({*PRESETS, *services.settings.providers, MODEL_HUB})

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        routes = (
            get("/v1/keys", self.list, "Which providers have a key, and where it is kept.", answer=KeyList),
            post(
                "/v1/keys/{provider}",
                KeyRequest,
                self.put,
                "Keep a provider's key in the keyring.",
                method="PUT",
                answer=KeyState,
            ),
            post(
                "/v1/keys/{provider}/test",
                KeyTestRequest,
                self.test,
                "Ask a provider for its models with the key it has; says what came of it.",
                answer=KeyTest,
            ),
            delete("/v1/keys/{provider}", self.remove, "Remove a provider's key.", answer=KeyState),
        )
        return tuple(route.needing(Scope.SETTINGS) for route in routes)

    async def list(self, call: Call) -> KeyList:
        """One for each provider of the settings, for those that need nothing but a key, and for the model hub."""
        states = await asyncio.to_thread(lambda: [self._secrets.state(name) for name in self._names])
        return KeyList(keys=states)

    async def put(self, call: Call, body: KeyRequest) -> KeyState:
        """The answer says where it is kept."""
        name = _provider(call)
        await asyncio.to_thread(self._secrets.set, name, SecretStr(body.key))
        return await asyncio.to_thread(self._secrets.state, name)

    async def test(self, call: Call, body: KeyTestRequest) -> KeyTest:
        """A key that is refused is an answer here, not a failure."""
        if (name := _provider(call)) == MODEL_HUB:
            raise BadRequest(
                "The model hub's token is tried when something is fetched with it.",
                "`hearth models pull` fetches; it says when the token is not enough.",
            )
        return await self._models.try_key(name)

    async def remove(self, call: Call) -> KeyState:
        """From the keyring; the environment is not ours to change."""
        name = _provider(call)
        if not await asyncio.to_thread(self._secrets.delete, name):
            raise NotFound(f"The keyring has no key for {name}.", "`hearth keys list` shows those there are.")
        return await asyncio.to_thread(self._secrets.state, name)


def _provider(call: Call) -> str:
    name = call.params["provider"]
    if not _PROVIDER.fullmatch(name):
        raise BadRequest("That is no provider's name.", "Use lower-case letters, digits, - and _.")
    return name
