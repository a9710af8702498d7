"""The model files of this machine, also those that cannot be used."""

from hearth_backend.api.endpoint import Endpoint, get
from hearth_backend.api.exchange import Call
from hearth_backend.gateway.model_files import listed
from hearth_backend.services import Services
from hearth_shared.protocol.models import ModelFileList
from hearth_shared.protocol.principals import Scope


class ModelFiles:
    """`/v1/model-files`."""

    def __init__(self, services: Services) -> None:
        self._engine = services.engine
        self._settings = services.settings.engine

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        summary = "Model files of this machine; for one that cannot be used, why and what to do."
        return (get("/v1/model-files", self.list, summary, answer=ModelFileList).needing(Scope.MODELS),)

    async def list(self, call: Call) -> ModelFileList:
        """Looked at now."""
        return ModelFileList(files=list(await listed(self._engine, self._settings.context)))
