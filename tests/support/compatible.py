"""A backend with a scripted model behind it, for clients of every dialect."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from hearth_shared.protocol.principals import Scope
from support.backend import Backend, running
from support.provider import Behaviour, ModelServer, model_server

CONFIG = """
[providers.near]
url = "{url}"
where = "this machine"
model = "m"
complete = true
"""


@dataclass
class House:
    """A backend and the model server behind it."""

    backend: Backend
    models: ModelServer

    def model_does(self, *behaviours: Behaviour) -> None:
        """What the model does next."""
        self.models.behaviours[:] = behaviours
        self.models.requests.clear()
        self.models.hung_up.clear()

    def token(self, *scopes: Scope) -> str:
        """A new program's."""
        return self.backend.token(*(scopes or (Scope.CHAT, Scope.COMPLETE))).text


@contextlib.asynccontextmanager
async def house_of(folder: Path) -> AsyncGenerator[House]:
    """Both, running."""
    async with model_server(models=("m", "text-embed")) as models:
        with running(folder / "home", CONFIG.format(url=models.url)) as backend:
            yield House(backend, models)
