"""Who asks: first-party doors by their key on the Unix socket, third parties by their token over TCP, a browser by its
token and Origin behind the bridge's key.

A key is good on the socket alone, and a token over TCP alone, so neither opens the other's door; a browser's token is
good behind the bridge's key alone, and only with the Origin that it was given to.
"""

import asyncio
import hashlib
import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from hearth_backend.orchestrator.requester import PERSON
from hearth_backend.storage.clients import PREFIX, SEEN_EVERY_S, Clients
from hearth_shared.errors import HearthError
from hearth_shared.paths import Home
from hearth_shared.protocol.principals import (
    BROWSER,
    BROWSER_SCOPES,
    FIRST_PARTY,
    MAIN_SPACE,
    THIRD_PARTY,
    Client,
    Door,
    Scope,
)

log = logging.getLogger(__name__)
_CACHED: Final = 4096
_SCOPES: Final = frozenset(scope.value for scope in Scope)
_DECIDE: Final = frozenset({Scope.APPROVALS_DECIDE})
_NOTHING: Final = frozenset[Scope]()


class Listener(Enum):
    """Where a connection came in."""

    SOCKET = "socket"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Principal:
    """One requester and its rights. `client` names the token it came with, and is empty for a door with a key."""

    name: str
    door: Door
    owner: str
    scopes: frozenset[Scope]
    spaces: frozenset[str]
    client: str = ""
    expires_at: float = float("inf")
    origin: str = ""

    @property
    def is_first_party(self) -> bool:
        """Whether it is one of the person's own doors."""
        return self.owner == PERSON

    @property
    def is_bridge(self) -> bool:
        """Whether it is the bridge or the native host itself, not a browser behind it."""
        return self.door is Door.BROWSER and not self.client

    @property
    def recalled(self) -> frozenset[str]:
        """The spaces that its runs may recall from: none without the right to read memory."""
        return self.spaces if Scope.MEMORY_READ in self.scopes else frozenset()

    def spaces_with(self, space: str) -> frozenset[str]:
        """The spaces it may see when it asks for `space`: a person's door sees any, a token those it was given."""
        return self.spaces | {space} if self.is_first_party else self.spaces


def first_party(door: Door) -> Principal:
    """The principal behind a door of the person's own."""
    return Principal(door.value, door, PERSON, FIRST_PARTY[door], frozenset({MAIN_SPACE}))


def third_party(client: Client) -> Principal:
    """The principal behind a token; scopes that this version does not know give no right."""
    known = frozenset(Scope(scope) for scope in client.scopes if scope in _SCOPES)
    name = f"client:{client.id}"
    return Principal(name, Door.HTTP, name, known, frozenset(client.spaces), client.id, client.expires_at)


def browser(client: Client) -> Principal:
    """The principal behind a browser's token: never more than a browser may, whatever the row says."""
    known = BROWSER_SCOPES.intersection(client.scopes)
    name = f"browser:{client.id}"
    return Principal(
        name, Door.BROWSER, PERSON, known, frozenset(client.spaces), client.id, client.expires_at, client.origin
    )


def write_keys(home: Home) -> dict[Door, str]:
    """A new random key for each door, each in a file for this user's eyes only."""
    keys = {door: f"{PREFIX}{door.value}_{secrets.token_urlsafe(32)}" for door in FIRST_PARTY}
    for door, key in keys.items():
        _write_private(home.key(door.value), key)
    return keys


def remove_keys(home: Home) -> None:
    """Take the keys away when the backend that honoured them is gone."""
    for door in FIRST_PARTY:
        home.key(door.value).unlink(missing_ok=True)


def _write_private(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
    draft.replace(path)


class Principals:
    """The one place where a credential becomes a principal.

    What was presented is looked up by its SHA-256 only: knowing how long that took tells nothing about a secret.
    """

    def __init__(self, keys: Mapping[Door, str], clients: Clients) -> None:
        self._clients = clients
        self._doors = {_digest(key.encode()): first_party(door) for door, key in keys.items()}
        self._known: dict[bytes, Principal] = {}
        self._browsers: dict[bytes, Principal] = {}
        self._noted: dict[str, float] = {}
        self._notes: set[asyncio.Task[None]] = set()
        self._end = clients.on_revoke(self.forget)

    def authenticate(self, token: bytes, listener: Listener) -> Principal | None:
        """The principal, or None for a credential that is missing, wrong, expired, revoked or at the wrong door."""
        if not token:
            return None
        digest = _digest(token)
        if listener is Listener.SOCKET:
            return self._doors.get(digest)
        return self._now_here(self._known.get(digest) or self._look_up(digest, token))

    def behind_bridge(self, token: bytes, origin: bytes) -> Principal | None:
        """The browser whose token the bridge forwards, or None: also for a good token from another Origin."""
        digest = _digest(token)
        found = self._browsers.get(digest) or self._look_up_browser(digest, token)
        if found is None or found.origin.encode() != origin:
            return None
        return self._now_here(found)

    def granted(self, principal: Principal) -> frozenset[Scope]:
        """What the person granted a door beyond its own rights, as it is now."""
        if principal.door is Door.EDITOR and self._clients.editors_may_decide():
            return _DECIDE
        return _NOTHING

    def forget(self, client: str) -> None:
        """Ask the database again for this client's token."""
        for known in (self._known, self._browsers):
            for digest in [digest for digest, found in known.items() if found.client == client]:
                del known[digest]

    async def close(self) -> None:
        """Stop listening for revocations, and write down what is still to be written."""
        self._end()
        await asyncio.gather(*self._notes, return_exceptions=True)

    def _look_up(self, digest: bytes, token: bytes) -> Principal | None:
        client = self._clients.authenticate(token.decode("latin-1"))
        if client is None or client.kind != THIRD_PARTY:
            return None
        if len(self._known) >= _CACHED:
            self._known.clear()
        found = self._known[digest] = third_party(client)
        return found

    def _look_up_browser(self, digest: bytes, token: bytes) -> Principal | None:
        client = self._clients.authenticate(token.decode("latin-1"))
        if client is None or client.kind != BROWSER or not client.origin:
            return None
        if len(self._browsers) >= _CACHED:
            self._browsers.clear()
        found = self._browsers[digest] = browser(client)
        return found

    def _now_here(self, found: Principal | None) -> Principal | None:
        """Nobody once the token has expired; else noted as seen, now and then."""
        now = self._clients.now()
        if found is None or found.expires_at <= now:
            return None
        if now - self._noted.get(found.client, 0.0) >= SEEN_EVERY_S:
            self._note(found.client, now)
        return found

    def _note(self, client: str, now: float) -> None:
        """When a program was last here; nobody waits for that to be written."""
        if len(self._noted) >= _CACHED:
            self._noted.clear()
        self._noted[client] = now
        task = asyncio.create_task(self._seen(client))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _seen(self, client: str) -> None:
        try:
            await self._clients.seen(client)
        except HearthError as error:
            log.info("when %s was last here could not be stored: %s", client, error.detail)


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
