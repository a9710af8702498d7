"""The OpenAPI document of the routes."""

import asyncio
from collections.abc import Sequence

from hearth_backend.api import openapi
from hearth_backend.api.endpoint import Endpoint, get
from hearth_backend.api.exchange import Call, Reply
from hearth_backend.api.problems import dump
from hearth_shared.protocol.principals import Scope


class Schema:
    """`/v1/openapi.json`; written when it is first asked for."""

    def __init__(self, described: Sequence[Endpoint]) -> None:
        self._described = described
        self._document = b""

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (get("/v1/openapi.json", self.show, "This document.").needing(Scope.STATUS),)

    async def show(self, call: Call) -> Reply:
        """OpenAPI 3.1."""
        if not self._document:
            self._document = await asyncio.to_thread(self._write)
        return Reply(self._document)

    def _write(self) -> bytes:
        return dump(openapi.document([*self._described, *self.endpoints()]))
