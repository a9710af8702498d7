"""How a browser comes in: a pairing is opened by the tray or the command line, and used through the bridge."""

from collections.abc import Callable
from typing import Final

from hearth_backend.api.endpoint import Endpoint, delete, find, post
from hearth_backend.api.exchange import Call
from hearth_backend.resilience import TokenBucket
from hearth_backend.services import Services
from hearth_shared.errors import RateLimited
from hearth_shared.protocol.base import Request
from hearth_shared.protocol.principals import Paired, PairingRequest, PairRequest, Scope
from hearth_shared.protocol.principals import Pairing as PairingState

_A_MINUTE: Final = 10


class Waiting(Request):
    """Whether to answer now, or once the open pairing is open no more."""

    wait: bool = False


class Pairing:
    """`/v1/clients/pairing` and `/v1/pair`."""

    def __init__(self, services: Services, clock: Callable[[], float]) -> None:
        self._pairings = services.pairings
        self._bucket = TokenBucket(_A_MINUTE / 60, _A_MINUTE, clock)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        path = "/v1/clients/pairing"
        return (
            find(
                path,
                Waiting,
                self.state,
                "Where the pairing stands; with `wait`, once it is open no more.",
                answer=PairingState,
                kind="lasting",
            ).needing(Scope.CLIENTS),
            post(
                path,
                PairingRequest,
                self.open,
                "Open a pairing: the code that the person types in the browser.",
                answer=PairingState,
                status=201,
                kind="lasting",
            ).needing(Scope.CLIENTS),
            delete(path, self.close, "Close the pairing.", answer=PairingState).needing(Scope.CLIENTS),
            post(
                "/v1/pair",
                PairRequest,
                self.pair,
                "Give a browser its token, for a good code. For the bridge and the native host alone.",
                answer=Paired,
                status=201,
                kind="lasting",
            ).only_for_bridge(),
        )

    async def open(self, call: Call, body: PairingRequest) -> PairingState:
        """One at a time: an older code is good no more."""
        return await self._pairings.open()

    async def state(self, call: Call, waiting: Waiting) -> PairingState:
        """For those who show the code."""
        return await self._pairings.state(wait=waiting.wait)

    async def close(self, call: Call) -> PairingState:
        """The code is good no more."""
        return self._pairings.close()

    async def pair(self, call: Call, body: PairRequest) -> Paired:
        """Few tries in all, whoever tries."""
        if wait := self._bucket.take():
            raise RateLimited("Too many pairings were tried.", "Try again in a minute.", retry_after=wait)
        if body.native:
            return await self._pairings.native(body.origin, body.name)
        return await self._pairings.by_code(body.code, body.origin, body.name)
