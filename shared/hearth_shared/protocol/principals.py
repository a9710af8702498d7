"""Who asks, through which door, with which rights."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from hearth_shared.protocol.base import Message, Request, Seconds, Space


class Scope(StrEnum):
    """One right each; a route names the one it needs."""

    CHAT = "chat"
    COMPLETE = "complete"
    CONTEXT = "context"
    TASKS = "tasks"
    STATUS = "status"
    MEMORY_READ = "memory:read"
    MEMORY_WRITE = "memory:write"
    APPROVALS_READ = "approvals:read"
    APPROVALS_DECIDE = "approvals:decide"
    TRIGGERS = "triggers"
    MODELS = "models"
    USAGE = "usage"
    AUDIT = "audit"
    BACKUPS = "backups"
    CLIENTS = "clients"
    SETTINGS = "settings"


class Door(StrEnum):
    """The surface a request came through."""

    TRAY = "tray"
    CLI = "cli"
    EDITOR = "editor"
    BROWSER = "browser"
    HTTP = "http"
    INTERNAL = "internal"


ALL_SCOPES = frozenset(Scope)
NEVER_THIRD_PARTY = frozenset({Scope.APPROVALS_DECIDE, Scope.CLIENTS})
FIRST_PARTY: dict[Door, frozenset[Scope]] = {
    Door.TRAY: ALL_SCOPES,
    Door.CLI: ALL_SCOPES,
    Door.EDITOR: frozenset(
        {
            Scope.CHAT,
            Scope.COMPLETE,
            Scope.CONTEXT,
            Scope.TASKS,
            Scope.MEMORY_READ,
            Scope.MEMORY_WRITE,
            Scope.APPROVALS_READ,
            Scope.STATUS,
        }
    ),
    Door.BROWSER: frozenset(),  # the bridge's own key: it may pair, and forward a browser's token
}
BROWSER_SCOPES = frozenset(
    {
        Scope.CHAT,
        Scope.CONTEXT,
        Scope.TASKS,
        Scope.MEMORY_READ,
        Scope.MEMORY_WRITE,
        Scope.APPROVALS_READ,
        Scope.STATUS,
    }
)
THIRD_PARTY, BROWSER, EDITORS = "third party", "browser", "editors"
MAIN_SPACE = "main"


class TokenRequest(Request):
    """A token for a third-party program."""

    name: str = Field(min_length=1, max_length=80)
    scopes: list[Scope] = Field(default=[Scope.CHAT, Scope.COMPLETE, Scope.STATUS], min_length=1)
    spaces: list[Space] = Field(default=[MAIN_SPACE])
    days: float = Field(default=90, gt=0, le=365, description="days until it expires")


class EditorGrant(Request):
    """Leave for the editors to decide approvals."""

    days: float = Field(default=30, gt=0, le=365, description="days until it ends by itself")


class Client(Message):
    """A program or a browser that was given a token, or what the editors were granted. A token itself is never
    stored."""

    id: str
    name: str
    kind: str = THIRD_PARTY
    origin: str = Field(default="", description="the address of a paired browser's extension")
    scopes: list[str]
    spaces: list[str]
    created_at: Seconds
    expires_at: Seconds
    last_seen_at: Seconds | None = None
    revoked_at: Seconds | None = None


class NewToken(Message):
    """Shown once."""

    client: Client
    token: str


class PairRequest(Request):
    """A browser asks for a token: with the code that the person typed, or `native`, for the native host, which runs as
    the person."""

    code: str = Field(default="", max_length=16, repr=False)
    native: bool = False
    origin: str = Field(min_length=1, max_length=128)
    name: str = Field(min_length=1, max_length=80)


class Paired(NewToken):
    """Shown once; `port` is the bridge's, None when it could not be started."""

    port: int | None = None


class PairingRequest(Request):
    """Nothing more needs to be told."""


class Pairing(Message):
    """Where the pairing stands. `code` is there while it is open, `client` once a browser is paired."""

    state: Literal["none", "open", "paired", "expired", "closed"]
    code: str = ""
    expires_at: Seconds | None = None
    tries_left: int = 0
    port: int | None = None
    client: Client | None = None


class ClientList(Message):
    """All clients, newest first."""

    clients: list[Client]
