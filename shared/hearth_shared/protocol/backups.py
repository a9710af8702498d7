"""Backups: whole copies of what Hearth keeps."""

from pydantic import Field

from hearth_shared.protocol.base import Message


class Backup(Message):
    """One. Times are in seconds since 1970."""

    id: str
    made_at: float
    until: float = Field(description="no later than then it goes; the newest one stays")
    asked: bool = Field(description="a person wanted it")
    version: str = Field(description="of the Hearth that made it")
    size_bytes: int = Field(description="of all that it restores")
    files: list[str] = Field(description="their places in Hearth's folder")
    rows: dict[str, int] = Field(description="by table")


class BackupList(Message):
    """All there are, newest first."""

    backups: list[Backup]
    folder: str
    stored_bytes: int = Field(description="what all of them take on disk; what they share counts once")
