"""Whole copies of what Hearth keeps: made, listed, checked, and laid ready for the next start to put in place.

Paths of this machine are taken from Hearth's own doors alone, and so is the wish to have everything replaced.
"""

from pathlib import Path
from typing import Final

from pydantic import Field

from hearth_backend.api.endpoint import Endpoint, find, post
from hearth_backend.api.exchange import Call
from hearth_backend.services import Services
from hearth_shared.errors import Forbidden
from hearth_shared.protocol.backups import Backup, BackupList
from hearth_shared.protocol.base import Request
from hearth_shared.protocol.principals import Scope

# No program may hold this right: whoever could put other memories in the place of a person's would hold them all.
_RIGHTS: Final = {"/v1/backups/{id}/restore": Scope.CLIENTS}


class Nothing(Request):
    """There is nothing to choose."""


class Elsewhere(Request):
    """A folder that backups were copied to; without it, Hearth's own."""

    folder: str = Field(default="", max_length=4096)

    @property
    def path(self) -> Path | None:
        """None for Hearth's own."""
        return Path(self.folder) if self.folder else None


class Backups:
    """`/v1/backups`."""

    def __init__(self, services: Services) -> None:
        self._backups = services.backups

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        routes = (
            find("/v1/backups", Elsewhere, self.list, "All backups, newest first.", answer=BackupList),
            post(
                "/v1/backups",
                Nothing,
                self.make,
                "Make a backup now; answers when it is on disk.",
                answer=Backup,
                status=201,
                kind="lasting",
            ),
            post(
                "/v1/backups/{id}/verify",
                Nothing,
                self.verify,
                "Read all of a backup, open its databases, check and count them.",
                answer=Backup,
                kind="lasting",
            ),
            post(
                "/v1/backups/{id}/restore",
                Elsewhere,
                self.restore,
                "Check a backup and lay it ready: the next start puts it in place and moves aside what is there. "
                "For Hearth's own doors.",
                answer=Backup,
                status=202,
                kind="lasting",
            ),
        )
        return tuple(route.needing(_RIGHTS.get(route.path, Scope.BACKUPS)) for route in routes)

    async def list(self, call: Call, place: Elsewhere) -> BackupList:
        """Those in one folder."""
        if place.folder:
            _only_own_doors(call)
        return await self._backups.list(place.path)

    async def make(self, call: Call, nothing: Nothing) -> Backup:
        """One that stays as long as any."""
        return await self._backups.make()

    async def verify(self, call: Call, nothing: Nothing) -> Backup:
        """What it holds, once it was found whole."""
        return await self._backups.verify(call.params["id"])

    async def restore(self, call: Call, place: Elsewhere) -> Backup:
        """What everything will be."""
        return await self._backups.restore(call.params["id"], place.path)


def _only_own_doors(call: Call) -> None:
    if not call.principal.is_first_party:
        raise Forbidden("A program cannot do this with its token.", "Use the terminal: `hearth backup restore`.")
