"""What a surface sees now, and what the person allows to be read and kept of it."""

from typing import Literal

from pydantic import Field

from hearth_shared.protocol.base import Message, Request, Seconds, Text
from hearth_shared.protocol.principals import Door

Level = Literal["off", "ask", "remember"]
Kind = Literal["page", "selection", "file", "diagnostics"]


class Consent(Message):
    """off: neither read nor kept; ask: kept when the person says so; remember: kept when the person asks about it."""

    door: str
    subject: str = Field(description="a site, for the browser; its parts follow it")
    level: Level
    changed_at: Seconds


class ConsentList(Message):
    """What was decided, by door and subject; `level` is what holds for the subject that was asked about."""

    consents: list[Consent]
    level: Level | None = None


class ConsentRequest(Request):
    """A decision. A door may decide for itself alone; the tray and the command line for any."""

    door: Door | None = None
    subject: str = Field(min_length=1, max_length=256)
    level: Level


class SeenRequest(Request):
    """What a surface sees now."""

    surface: Literal["browser", "editor"]
    kind: Kind
    title: str = Field(default="", max_length=300)
    url: str = Field(default="", max_length=2048)
    path: str = Field(default="", max_length=1024)
    text: Text
    sensitivity: Literal["normal", "local only"] = "normal"


class Seen(Message):
    """It is held for an hour, in memory alone: never on disk, never embedded."""

    id: str
    door: str
    surface: Literal["browser", "editor"]
    kind: Kind
    title: str
    url: str
    path: str
    text: str
    sensitivity: Literal["normal", "local only"]
    consent: Level
    at: Seconds
    expires_at: Seconds


class SeenList(Message):
    """Newest first."""

    seen: list[Seen]
