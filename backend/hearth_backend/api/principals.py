"""Who asks: first-party doors by their key on the Unix socket, third parties by their token over TCP.

A key is good on the socket alone, and a token over TCP alone, so neither opens the other's door.
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
from hearth_shared.protocol.principals import FIRST_PARTY, MAIN_SPACE, Client, Door, Scope

log = logging.getLogger(__name__)
_CACHED: Final = 4096
_SCOPES: Final = frozenset(scope.value for scope in Scope)


class Listener(Enum):
    """Where a connection came in."""

    SOCKET = "socket"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Principal:
    """One requester and its rights. `client` is empty for the person's own doors."""

    name: str
    door: Door
    owner: str
    scopes: frozenset[Scope]
    spaces: frozenset[str]
    client: str = ""
    expires_at: float = float("inf")

    @property
    def is_first_party(self) -> bool:
        """Whether it is one of the person's own doors."""
        return not self.client

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


def write_keys(home: Home) -> dict[Door, str]:
    """A new random key for each door that may do something, each in a file for this user's eyes only."""
    keys = {door: f"{PREFIX}{door.value}_{secrets.token_urlsafe(32)}" for door, may in FIRST_PARTY.items() if may}
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
        found = self._known.get(digest) or self._look_up(digest, token)
        now = self._clients.now()
        if found is None or found.expires_at <= now:
            return None
        if now - self._noted.get(found.client, 0.0) >= SEEN_EVERY_S:
            self._note(found.client, now)
        return found

    def forget(self, client: str) -> None:
        """Ask the database again for this client's token."""
        self._known = {digest: found for digest, found in self._known.items() if found.client != client}

    async def close(self) -> None:
        """Stop listening for revocations, and write down what is still to be written."""
        self._end()
        await asyncio.gather(*self._notes, return_exceptions=True)

    def _look_up(self, digest: bytes, token: bytes) -> Principal | None:
        client = self._clients.authenticate(token.decode("latin-1"))
        if client is None:
            return None
        if len(self._known) >= _CACHED:
            self._known.clear()
        found = self._known[digest] = third_party(client)
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
