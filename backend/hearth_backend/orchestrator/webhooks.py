"""Tells webhooks how their tasks ended: signed, to the address that was looked at and no other, until they take it."""

import asyncio
import ipaddress
import logging
import random
import socket
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final, Self

from hearth_backend.orchestrator import hook
from hearth_backend.orchestrator.addresses import is_loopback, is_public
from hearth_backend.orchestrator.run_store import RunStore
from hearth_backend.orchestrator.stores import deliveries
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Row
from hearth_shared.errors import BadRequest, Forbidden, HearthError
from hearth_shared.settings import Webhooks as Settings

log = logging.getLogger(__name__)
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
_AT_ONCE: Final = 4
_LIMIT_S: Final = 10.0
_FIRST_S: Final = 5.0
_LONGEST_S: Final = 6 * 3600.0
_LONGEST_ALARM: Final = 3600.0
_LONGEST_PROBLEM: Final = 300


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, by the system."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Webhooks:
    """Sends what is due, and has a timer only while something is.

    A name is resolved once for each delivery, every address it has is looked at, and exactly one of those is dialled,
    so that a name which changes its mind in between leads nowhere else. Redirects are not followed.
    """

    def __init__(
        self,
        database: Database,
        store: RunStore,
        settings: Settings,
        *,
        own_ports: Callable[[], Collection[int]] = frozenset,
        resolve: Resolve = resolved,
        clock: Callable[[], float] = time.time,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._store = store
        self._settings = settings
        self._own_ports = own_ports
        self._resolve = resolve
        self._clock = clock
        self._dice = dice
        self._wake = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._store.listen_to_ends(self.wake)
        self._serving = asyncio.create_task(self._serve(), name="webhooks")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._set_alarm(None)
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)

    def wake(self) -> None:
        """Something may be due."""
        self._wake.set()

    def check(self, url: str) -> None:
        """Raises BadRequest or Forbidden for an address that can be refused by looking at it."""
        where = hook.target(url)
        if _is_address(where.host):
            self._look(where, [where.host])

    async def _serve(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._send_due()
                due = self._database.peek(deliveries.NEXT_DUE, ())
            except HearthError as error:
                log.warning("webhooks are put off: %s", error)
                due = (self._clock() + _LONGEST_ALARM,)
            self._set_alarm(None if due is None or due[0] is None else due[0] - self._clock())
            await self._wake.wait()

    def _set_alarm(self, seconds: float | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if seconds is not None:
            pause = min(max(seconds, 0.01), _LONGEST_ALARM)
            self._alarm = asyncio.get_running_loop().call_later(pause, self._wake.set)

    async def _send_due(self) -> None:
        now = self._clock()
        while rows := await self._database.read(lambda c: deliveries.due(c, now, _AT_ONCE)):
            async with asyncio.TaskGroup() as sending:
                for row in rows:
                    sending.create_task(self._send(row))

    async def _send(self, row: Row) -> None:
        run_id = row["run_id"]
        problem = await self._problem(row)
        now = self._clock()
        if not problem:
            log.info("the webhook of %s was told", run_id)
            await self._database.write(lambda c: deliveries.delivered(c, run_id, now))
            return
        attempts = row["attempts"] + 1
        pause = min(_LONGEST_S, _FIRST_S * 4 ** (attempts - 1)) * (0.8 + 0.4 * self._dice())
        next_at = now + pause if attempts < self._settings.attempts else None
        level = logging.WARNING if next_at is None else logging.INFO
        log.log(level, "the webhook of %s was not told: %s", run_id, problem)
        await self._database.write(lambda c: deliveries.failed(c, run_id, problem[:_LONGEST_PROBLEM], next_at))

    async def _problem(self, row: Row) -> str:
        """Send it; why it was not taken, or nothing."""
        task = self._store.get(row["owner"], row["run_id"])
        body = hook.body_of(task.model_dump(mode="json", exclude={"steps", "logs", "webhook"}))
        try:
            where = hook.target(row["webhook_url"])
            addresses = await asyncio.wait_for(self._resolve(where.host, where.port), _LIMIT_S)
            self._look(where, addresses)
            return await self._post(where, addresses[0], row, body)
        except (HearthError, OSError, TimeoutError, UnicodeError) as error:
            return str(error) or type(error).__name__

    async def _post(self, where: hook.Target, address: str, row: Row, body: bytes) -> str:
        import httpx2  # on first use: it costs a start that no webhook pays

        headers = self._headers(where, row, body)
        async with httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=_LIMIT_S) as client:
            url = httpx2.URL(scheme=where.scheme, host=address, port=where.port, raw_path=where.path.encode())
            request = client.build_request("POST", url, content=body, headers=headers)
            request.extensions["sni_hostname"] = where.host
            try:
                async with asyncio.timeout(_LIMIT_S):
                    answer = await client.send(request, stream=True)  # its body is nobody's concern
                    await answer.aclose()
                return "" if answer.is_success else f"it answered with status {answer.status_code}"
            except httpx2.HTTPError as error:
                return f"{type(error).__name__}: {error}"

    def _headers(self, where: hook.Target, row: Row, body: bytes) -> dict[str, str]:
        host = f"[{where.host}]" if ":" in where.host else where.host
        return {
            "Host": f"{host}:{where.port}",
            "Content-Type": "application/json",
            "User-Agent": "Hearth",
            "Hearth-Signature": hook.signature(row["webhook_secret"], int(self._clock()), body),
            hook.MARK: row["run_id"],
        }

    def _look(self, where: hook.Target, addresses: Sequence[str]) -> None:
        """Every address must be somebody out there, or granted; Hearth's own ports never are."""
        if not addresses:
            raise BadRequest(f"{where.host} has no address.", "Correct the webhook's address.")
        if where.port in self._own_ports() and any(is_loopback(address) for address in addresses):
            raise Forbidden("The webhook leads back to Hearth itself.", "Give another address.")
        private = [address for address in addresses if not is_public(address)]
        if private and not hook.granted(where, self._settings.allow):
            raise Forbidden(
                f"The webhook leads to {private[0]}, which is not on the public internet.",
                f"If it is yours: `hearth config set webhooks.allow '[\"{where.place}\"]'`.",
            )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
