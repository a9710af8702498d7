"""Pairing a browser: a code that is shown here and typed there, good for a few tries and some minutes."""

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

from hearth_backend.bridge import Bridge
from hearth_backend.storage.clients import Clients
from hearth_shared.errors import BackendUnavailable, Forbidden, NoPairing, WrongCode
from hearth_shared.extension import is_extension
from hearth_shared.protocol.principals import Paired, Pairing

OPEN_S: Final = 600.0
TRIES: Final = 5
_NONE: Final = Pairing(state="none")
_AGAIN: Final = "Open a pairing in the tray, or with `hearth pair browser`, and type the code that it shows."


class _Offer:
    """One open pairing. `ended` is set once, when it is no longer open."""

    def __init__(self, code: str, expires_at: float) -> None:
        self.code = code
        self.expires_at = expires_at
        self.tries_left = TRIES
        self.used = False
        self.ended = asyncio.Event()
        self.timer: asyncio.TimerHandle | None = None


class Pairings:
    """One pairing at a time; what came of the last one is remembered until the next."""

    def __init__(
        self,
        clients: Clients,
        bridge: Bridge,
        *,
        clock: Callable[[], float] = time.time,
        new_code: Callable[[], str] = lambda: f"{secrets.randbelow(1_000_000):06}",
        open_s: float = OPEN_S,
    ) -> None:
        self._clients = clients
        self._bridge = bridge
        self._clock = clock
        self._new_code = new_code
        self._open_s = open_s
        self._offer: _Offer | None = None
        self._last = _NONE

    async def open(self) -> Pairing:
        """A new code; an older one is good no more. The bridge is up when this returns."""
        self._bridge.hold()
        try:
            await self._bridge.ready()
        except BaseException:
            self._bridge.release()
            raise
        self.close()
        offer = self._offer = _Offer(self._new_code(), self._clock() + self._open_s)
        offer.timer = asyncio.get_running_loop().call_later(self._open_s, self._end, Pairing(state="expired"))
        return self._state()

    async def state(self, *, wait: bool) -> Pairing:
        """Where it stands; with `wait`, once the one that is open now is open no more."""
        if wait and self._offer is not None:
            await self._offer.ended.wait()
        return self._state()

    def close(self) -> Pairing:
        """End the open one, if there is one."""
        if self._offer is not None:
            self._end(Pairing(state="closed"))
        return self._state()

    async def by_code(self, code: str, origin: str, name: str) -> Paired:
        """A token for the browser in which the person typed the code. Raises NoPairing or WrongCode."""
        _check(origin)
        offer = self._offer
        if offer is None or offer.used:
            raise NoPairing("No pairing is open, so no code is good.", _AGAIN)
        if not hmac.compare_digest("".join(code.split()).encode("utf-8", "replace"), offer.code.encode()):
            raise self._wrong(offer)
        offer.used = True  # before anything is waited for: a code is good once
        outcome = Pairing(state="closed")
        try:
            paired = await self._pair(origin, name)
            outcome = Pairing(state="paired", client=paired.client)
            return paired
        finally:
            if self._offer is offer:
                self._end(outcome)

    async def native(self, origin: str, name: str) -> Paired:
        """A token for the browser that started the native host: the browser, like it, runs as the person."""
        _check(origin)
        paired = await self._pair(origin, name)
        if self._offer is not None:  # whoever shows a code sees that it is done
            self._end(Pairing(state="paired", client=paired.client))
        return paired

    async def _pair(self, origin: str, name: str) -> Paired:
        made = await self._clients.pair(origin, name)
        await self._bridge.look()
        try:
            port = await self._bridge.ready()
        except BackendUnavailable:  # the token is good all the same, and health says what is wrong
            port = None
        return Paired(client=made.client, token=made.token, port=port)

    def _wrong(self, offer: _Offer) -> WrongCode:
        offer.tries_left -= 1
        if offer.tries_left:
            left = "one try is" if offer.tries_left == 1 else f"{offer.tries_left} tries are"
            return WrongCode(
                "That is not the code that Hearth shows.", f"Type it again; {left} left.", tries_left=offer.tries_left
            )
        self._end(Pairing(state="closed"))
        return WrongCode(f"That was wrong code number {TRIES}, so this pairing has ended.", _AGAIN, tries_left=0)

    def _end(self, outcome: Pairing) -> None:
        offer, self._offer, self._last = self._offer, None, outcome
        assert offer is not None
        if offer.timer is not None:
            offer.timer.cancel()
        offer.ended.set()
        self._bridge.release()

    def _state(self) -> Pairing:
        offer = self._offer
        if offer is None:
            return self._last
        return Pairing(
            state="open",
            code=offer.code,
            expires_at=offer.expires_at,
            tries_left=offer.tries_left,
            port=self._bridge.port,
        )


def _check(origin: str) -> None:
    if not is_extension(origin):
        raise Forbidden("Only Hearth's own browser extension can be paired.", "Pair from the extension's own panel.")
