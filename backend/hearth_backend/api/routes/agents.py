"""The profiles that tasks can be given to."""

from hearth_backend.agent.profiles import Profiles
from hearth_backend.api.endpoint import Endpoint, get
from hearth_backend.api.exchange import Call
from hearth_shared.protocol.principals import Scope
from hearth_shared.protocol.tasks import AgentList


class Agents:
    """`/v1/agents`, as the profiles' files are now."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (get("/v1/agents", self.list, "Agents that take tasks.", answer=AgentList).needing(Scope.TASKS),)

    async def list(self, call: Call) -> AgentList:
        """All of them."""
        return self._profiles.listed()
