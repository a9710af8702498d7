"""The model files of this machine: what there is, what would fit, fetching, planning, removing."""

from hearth_backend.api.endpoint import Endpoint, delete, get, post
from hearth_backend.api.exchange import Call
from hearth_backend.engine.catalogue import named
from hearth_backend.gateway.model_files import Shelf, listed
from hearth_backend.services import Services
from hearth_shared.protocol.models import (
    Catalogue,
    Download,
    DownloadList,
    FileRemoved,
    ModelFileDetail,
    ModelFileList,
    Plan,
    PlanRequest,
    PullRequest,
)
from hearth_shared.protocol.principals import Scope


class ModelFiles:
    """`/v1/model-files`."""

    def __init__(self, services: Services) -> None:
        self._engine = services.engine
        self._hub = services.hub
        self._settings = services.settings.engine
        self._shelf = Shelf(services.engine, services.placement, services.settings.engine, services.home.models)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        summary = "Model files of this machine; for one that cannot be used, why and what to do."
        routes = (
            get("/v1/model-files", self.list, summary, answer=ModelFileList),
            get(
                "/v1/model-files/catalogue",
                self.catalogue,
                "Model files Hearth knows: size, licence, context, and whether they fit this machine.",
                answer=Catalogue,
                kind="lasting",
            ),
            post(
                "/v1/model-files/plan",
                PlanRequest,
                self.plan,
                "How a file would be loaded here: layers on the GPU, context, memory, with the reasons.",
                answer=Plan,
                kind="lasting",
            ),
            *self._downloads(),
            get(
                "/v1/model-files/{model:path}",
                self.detail,
                "What a model file says of itself, its plan, and how it runs.",
                answer=ModelFileDetail,
                kind="lasting",
            ),
            delete(
                "/v1/model-files/{model:path}", self.remove, "Remove a model file, all its parts.", answer=FileRemoved
            ),
        )
        return tuple(route.needing(Scope.MODELS) for route in routes)

    def _downloads(self) -> tuple[Endpoint, ...]:
        path = "/v1/model-files/downloads"
        return (
            post(
                path,
                PullRequest,
                self.pull,
                "Fetch a model file from the hub. It goes on by itself; `download.progress` events tell how far it is.",
                answer=Download,
                status=202,
            ),
            get(path, self.downloads, "Downloads under way, and those that ended.", answer=DownloadList),
            get(f"{path}/{{id}}", self.download, "One download.", answer=Download),
            delete(f"{path}/{{id}}", self.cancel, "Stop a download and remove what came.", answer=Download),
        )

    async def list(self, call: Call) -> ModelFileList:
        """Looked at now."""
        return ModelFileList(files=list(await listed(self._engine, self._settings.context)))

    async def catalogue(self, call: Call) -> Catalogue:
        """Held against the memory there is now."""
        return await self._shelf.catalogue()

    async def plan(self, call: Call, body: PlanRequest) -> Plan:
        """Nothing is loaded."""
        return await self._shelf.plan(body.file, body.context, body.gpu_layers)

    async def detail(self, call: Call) -> ModelFileDetail:
        """Nothing is loaded."""
        return await self._shelf.detail(call.params["model"])

    async def remove(self, call: Call) -> FileRemoved:
        """It is unloaded first."""
        return await self._shelf.remove(call.params["model"])

    async def pull(self, call: Call, body: PullRequest) -> Download:
        """Joins a download of the same source."""
        known = named(body.source)
        return await self._hub.pull(known.source if known else body.source)

    async def downloads(self, call: Call) -> DownloadList:
        """The newest last."""
        return DownloadList(downloads=self._hub.all())

    async def download(self, call: Call) -> Download:
        """As it is now."""
        return self._hub.get(call.params["id"])

    async def cancel(self, call: Call) -> Download:
        """One that had failed is forgotten, with what had come of it."""
        return await self._hub.cancel(call.params["id"])
