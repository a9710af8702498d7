"""The index over memories: how it is, and making it anew."""

from hearth_backend.api.endpoint import Endpoint, get, post
from hearth_backend.api.exchange import Call
from hearth_backend.memory.index import Progress
from hearth_backend.services import Services
from hearth_shared.protocol.index import IndexState, ReindexRequest
from hearth_shared.protocol.principals import Scope


class Index:
    """`/v1/memory/index` and `/v1/memory/reindex`."""

    def __init__(self, services: Services) -> None:
        self._index = services.index

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes. Making it anew is work for minutes: it takes who may change settings."""
        return (
            get("/v1/memory/index", self.show, "How the index over memories is.", answer=IndexState).needing(
                Scope.STATUS
            ),
            post(
                "/v1/memory/reindex",
                ReindexRequest,
                self.rebuild,
                "Make the index anew from the memories; search is exact meanwhile.",
                answer=IndexState,
                status=202,
            ).needing(Scope.SETTINGS),
        )

    async def show(self, call: Call) -> IndexState:
        """As it is now."""
        return _state(self._index.progress)

    async def rebuild(self, call: Call, body: ReindexRequest) -> IndexState:
        """It goes on in the background; asked for again meanwhile, it is made once."""
        return _state(self._index.rebuild())


def _state(progress: Progress) -> IndexState:
    return IndexState(
        state=progress.state, detail=progress.detail, fix=progress.fix, done=progress.done, total=progress.total
    )
