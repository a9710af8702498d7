"""The builds of the engine: which there are, which GPU each finds, and adding one."""

import asyncio
from pathlib import Path

from hearth_backend.api.endpoint import Endpoint, delete, get, post
from hearth_backend.api.exchange import Call
from hearth_backend.engine.builds import Build
from hearth_backend.engine.placement import Trial
from hearth_backend.services import Services
from hearth_shared.hardware import hardware, suits
from hearth_shared.protocol.models import (
    EngineBuildInfo,
    EngineBuilds,
    EngineDevice,
    Installation,
    InstallRequest,
)
from hearth_shared.protocol.principals import Scope


class Engine:
    """`/v1/model-files/engine`: administration of the same kind, so the same scope."""

    def __init__(self, services: Services) -> None:
        self._placement = services.placement
        self._installer = services.installer

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        path = "/v1/model-files/engine"
        routes = (
            get(
                f"{path}/builds",
                self.list,
                "Builds of llama.cpp here, each tried now, and the backend that suits this machine.",
                answer=EngineBuilds,
                kind="lasting",
            ),
            post(
                f"{path}/installations",
                InstallRequest,
                self.install,
                "Add a build. It goes on by itself; `download.progress` events tell how far it is.",
                answer=Installation,
                status=202,
            ),
            get(f"{path}/installations/{{id}}", self.installation, "One installation.", answer=Installation),
            delete(f"{path}/installations/{{id}}", self.cancel, "Stop an installation.", answer=Installation),
        )
        return tuple(route.needing(Scope.MODELS) for route in routes)

    async def list(self, call: Call) -> EngineBuilds:
        """One after another: two drivers at once may get in each other's way."""
        builds = await asyncio.to_thread(self._placement.builds.all)
        chosen = await self._placement.chosen()
        told = [_info(build, await self._placement.tried(build), chosen) for build in builds]
        backend, why = suits(await asyncio.to_thread(hardware), prebuilt=self._installer.prebuilt)
        return EngineBuilds(builds=told, suits=backend, why=why)

    async def install(self, call: Call, body: InstallRequest) -> Installation:
        """One at a time."""
        return await self._installer.install(body.backend)

    async def installation(self, call: Call) -> Installation:
        """As it is now."""
        return self._installer.get(call.params["id"])

    async def cancel(self, call: Call) -> Installation:
        """What was compiled so far is gone."""
        return await self._installer.cancel(call.params["id"])


def _info(build: Build, trial: Trial, chosen: Trial | None) -> EngineBuildInfo:
    detail = trial.problem
    if not build.current:
        detail = f"It is of version {build.version}; `hearth engine install {build.backend}` makes it anew."
    return EngineBuildInfo(
        backend=build.backend,
        version=build.version,
        origin="added" if build.added else "installed with Hearth",
        bytes=_size(build.libraries),
        chosen=chosen is not None and chosen.build == build,
        usable=build.current and not trial.problem,
        detail=detail,
        devices=[EngineDevice.model_validate(_device(one)) for one in trial.devices],
    )


def _device(one: object) -> dict[str, object]:
    return {name: getattr(one, name) for name in ("name", "detail", "kind", "free", "total")}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*") if path.is_file())
