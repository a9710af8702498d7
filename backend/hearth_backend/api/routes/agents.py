"""The profiles that tasks can be given to."""

from hearth_backend.agent.profiles import Profiles
from hearth_backend.api.endpoint import Endpoint, get
from hearth_backend.api.exchange import Call, Reply
from hearth_shared.protocol.principals import Scope
from hearth_shared.protocol.tasks import AgentList


class Agents:
    """`/v1/agents`, as the profiles' files are now; written anew only when one has changed."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._written = (-1, b"")

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (get("/v1/agents", self.list, "Agents that take tasks.", answer=AgentList).needing(Scope.TASKS),)

    async def list(self, call: Call) -> Reply:
        """All of them."""
        self._profiles.glance()
        if self._written[0] != self._profiles.version:
            self._written = (self._profiles.version, self._profiles.listed().model_dump_json().encode())
        return Reply(self._written[1])
