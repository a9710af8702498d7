"""Programs and browsers that were given a token. Of the token itself only the SHA-256 of its secret is stored."""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final

from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.errors import Forbidden, NotFound
from hearth_shared.protocol.principals import (
    BROWSER,
    BROWSER_SCOPES,
    EDITORS,
    MAIN_SPACE,
    NEVER_THIRD_PARTY,
    Client,
    ClientList,
    NewToken,
    Scope,
    TokenRequest,
)

PREFIX: Final = "hth_"
_DAY: Final = 86_400
SEEN_EVERY_S: Final = 300
BROWSER_DAYS: Final = 365
_COLUMNS: Final = (
    "id, name, kind, origin, secret_sha256, scopes, spaces, created_at, expires_at, last_seen_at, revoked_at"
)
Revoked = Callable[[str], None]


class Clients:
    """Creates, checks and revokes tokens of the form `hth_<id>_<secret>`.

    Time never runs backwards here: a clock set back does not bring an expired token to life while the backend runs.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._latest = 0.0
        self._listeners: list[Revoked] = []

    def now(self) -> float:
        """The time that expiry is held against."""
        self._latest = max(self._latest, self._clock())
        return self._latest

    def on_revoke(self, listener: Revoked) -> Callable[[], None]:
        """Call `listener` with a client's id once its revocation is on disk; the value returned ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def create(self, request: TokenRequest) -> NewToken:
        """A new client and its token, which is shown this once."""
        if never := sorted(NEVER_THIRD_PARTY.intersection(request.scopes)):
            raise Forbidden(
                f"A token can never hold {' or '.join(never)}.",
                "Leave it out: only the person's own doors may do that.",
            )
        now = self.now()
        client = Client(
            id=secrets.token_hex(8),
            name=request.name,
            scopes=sorted(set(request.scopes)),
            spaces=sorted(set(request.spaces)),
            created_at=now,
            expires_at=now + request.days * _DAY,
        )
        secret = secrets.token_urlsafe(32)
        await self._database.write(lambda connection: _insert(connection, client, _digest(secret)))
        return NewToken(client=client, token=f"{PREFIX}{client.id}_{secret}")

    async def pair(self, origin: str, name: str) -> NewToken:
        """A new token for a browser, good from this origin alone. The one that this browser had before ends: the name
        tells it from another browser, for all of Chromium's family share the extension's origin."""
        now = self.now()
        client = Client(
            id=secrets.token_hex(8),
            name=name,
            kind=BROWSER,
            origin=origin,
            scopes=sorted(BROWSER_SCOPES),
            spaces=[MAIN_SPACE],
            created_at=now,
            expires_at=now + BROWSER_DAYS * _DAY,
        )
        secret = secrets.token_urlsafe(32)

        def work(connection: Connection) -> Sequence[Client]:
            replaced = [_revoke(connection, old, now) for old in _paired(connection, origin, name)]
            _insert(connection, client, _digest(secret))
            return replaced

        await self._database.write(work, self._tell_all)
        return NewToken(client=client, token=f"{PREFIX}{client.id}_{secret}")

    async def let_editors_decide(self, days: float) -> Client:
        """A grant for every editor of this person, with no token: they come in by a key of their own. One that was
        given before ends."""
        now = self.now()
        client = Client(
            id=secrets.token_hex(8),
            name="every editor of yours",
            kind=EDITORS,
            scopes=[Scope.APPROVALS_DECIDE],
            spaces=[],
            created_at=now,
            expires_at=now + days * _DAY,
        )

        def work(connection: Connection) -> Client:
            connection.execute("update client set revoked_at = ? where kind = ? and revoked_at is null", (now, EDITORS))
            _insert(connection, client, secrets.token_bytes(32))  # of no token
            return client

        return await self._database.write(work)

    def editors_may_decide(self) -> bool:
        """Whether such a grant holds now."""
        found = self._database.peek(
            "select 1 from client where kind = ? and revoked_at is null and expires_at > ?", (EDITORS, self.now())
        )
        return found is not None

    async def browsers(self) -> int:
        """How many browsers are paired now."""
        rows = await self._database.fetch(
            "select count(*) as n from client where kind = ? and revoked_at is null and expires_at > ?",
            (BROWSER, self.now()),
        )
        return rows[0]["n"]

    async def list(self) -> ClientList:
        """All clients, also expired and revoked ones, newest first."""
        rows = await self._database.fetch(f"select {_COLUMNS} from client order by created_at desc, id")
        return ClientList(clients=[_client(row) for row in rows])

    async def revoke(self, identifier: str) -> Client:
        """End a client's token now and for good. Revoking again changes nothing."""
        now = self.now()
        return await self._database.write(lambda connection: _revoke(connection, identifier, now), self._tell)

    def authenticate(self, token: str) -> Client | None:
        """The client that `token` belongs to; None when it is wrong, expired or revoked."""
        identifier, separator, secret = token.removeprefix(PREFIX).partition("_")
        if not (token.startswith(PREFIX) and separator):
            return None
        row = self._database.peek(f"select {_COLUMNS} from client where id = ?", (identifier,))
        if row is None or not hmac.compare_digest(_digest(secret), row["secret_sha256"]):
            return None
        if row["revoked_at"] is not None or row["expires_at"] <= self.now():
            return None
        return _client(row)

    async def seen(self, identifier: str) -> None:
        """Note that a client was here, to within a few minutes."""
        now = self.now()
        await self._database.execute(
            "update client set last_seen_at = ? where id = ? and coalesce(last_seen_at, 0) < ?",
            (now, identifier, now - SEEN_EVERY_S),
        )

    def _tell_all(self, clients: Sequence[Client]) -> None:
        for client in clients:
            self._tell(client)

    def _tell(self, client: Client) -> None:
        for listener in tuple(self._listeners):
            listener(client.id)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _insert(connection: Connection, client: Client, digest: bytes) -> None:
    connection.execute(
        "insert into client(id, name, kind, origin, secret_sha256, scopes, spaces, created_at, expires_at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            client.id,
            client.name,
            client.kind,
            client.origin,
            digest,
            json.dumps(client.scopes),
            json.dumps(client.spaces),
            client.created_at,
            client.expires_at,
        ),
    )


def _paired(connection: Connection, origin: str, name: str) -> list[str]:
    rows = connection.execute(
        "select id from client where origin = ? and origin <> '' and name = ? and revoked_at is null", (origin, name)
    )
    return [row["id"] for row in rows.fetchall()]


def _revoke(connection: Connection, identifier: str, now: float) -> Client:
    connection.execute("update client set revoked_at = coalesce(revoked_at, ?) where id = ?", (now, identifier))
    row = connection.execute(f"select {_COLUMNS} from client where id = ?", (identifier,)).fetchone()
    if row is None:
        raise NotFound(f"There is no client {identifier}.", "`hearth clients list` shows them.")
    return _client(row)


def _client(row: Row) -> Client:
    return Client(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        origin=row["origin"],
        scopes=json.loads(row["scopes"]),
        spaces=json.loads(row["spaces"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_seen_at=row["last_seen_at"],
        revoked_at=row["revoked_at"],
    )
