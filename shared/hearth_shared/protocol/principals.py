"""Who asks, through which door, with which rights."""

from enum import StrEnum

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
    Door.BROWSER: frozenset(),  # the bridge's own key may only open pairings (the Doors issue)
}
MAIN_SPACE = "main"


class TokenRequest(Request):
    """A token for a third-party program."""

    name: str = Field(min_length=1, max_length=80)
    scopes: list[Scope] = Field(default=[Scope.CHAT, Scope.COMPLETE, Scope.STATUS], min_length=1)
    spaces: list[Space] = Field(default=[MAIN_SPACE])
    days: float = Field(default=90, gt=0, le=365, description="days until it expires")


class Client(Message):
    """A program that was given a token. The token itself is never stored."""

    id: str
    name: str
    kind: str = "third party"
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


class ClientList(Message):
    """All clients, newest first."""

    clients: list[Client]
