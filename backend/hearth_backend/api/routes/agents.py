"""The profiles that tasks can be given to."""

from hearth_backend.agent.profiles import listed
from hearth_backend.api.endpoint import Endpoint, get
from hearth_backend.api.exchange import Call, Reply
from hearth_shared.protocol.principals import Scope
from hearth_shared.protocol.tasks import AgentList


class Agents:
    """`/v1/agents`. The profiles do not change while Hearth runs: the answer is written once."""

    def __init__(self) -> None:
        self._listed = listed().model_dump_json().encode()

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (get("/v1/agents", self.list, "Agents that take tasks.", answer=AgentList).needing(Scope.TASKS),)

    async def list(self, call: Call) -> Reply:
        """All of them."""
        return Reply(self._listed)
