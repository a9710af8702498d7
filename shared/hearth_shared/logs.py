"""The log: one line of JSON for each record, without secrets, in a file that cannot grow for ever.

`request_id` and `run_id` say on whose behalf the present task works; set them where a request or a run begins.
"""

import json
import logging
import logging.handlers
import os
import re
from collections import deque
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hearth_shared.display import display

request_id: ContextVar[str] = ContextVar("request_id", default="")
run_id: ContextVar[str] = ContextVar("run_id", default="")

_HIDDEN = "[hidden]"
_SECRETS = (
    re.compile(r"(?i)(\bauthorization\b[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token)\s+)?)[^\s\"',;]+"),
    re.compile(r"(?i)(\bbearer\s+)[\w.~+/=-]{8,}"),
    re.compile(r"(?i)(\b(?:x-)?api[-_ ]?key[\"']?\s*[:=]\s*[\"']?)[^\s\"',;&]+"),
    re.compile(r"(?i)([?&](?:access_token|token|key)=)[^\s\"'&]+"),
    re.compile(r"()\bhth_[A-Za-z0-9]+_[\w-]+"),
    re.compile(r"()\b(?:sk|pk|rk|gsk|xai)[-_][\w-]{8,}"),
)


class Ring(logging.Handler):
    """The last lines, for the page that shows them."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=length)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line, forget the oldest."""
        self._lines.append(self.format(record))

    def lines(self) -> list[str]:
        """Oldest first."""
        return list(self._lines)


class Line(logging.Formatter):
    """One record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. Secrets are hidden, and control characters shown, in everything that came from outside."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": clean(record.getMessage()),
        }
        if request := request_id.get():
            fields["request_id"] = clean(request)
        if run := run_id.get():
            fields["run_id"] = clean(run)
        if record.exc_info:
            fields["exception"] = [clean(line) for line in self.formatException(record.exc_info).split("\n")]
        return json.dumps(fields, ensure_ascii=False)


class Logs:
    """What `set_up` put in place; closing it puts everything back."""

    def __init__(self, handlers: list[logging.Handler], ring: Ring, level_before: int) -> None:
        self._handlers = handlers
        self._ring = ring
        self._level_before = level_before

    def recent(self) -> list[str]:
        """The last lines, oldest first."""
        return self._ring.lines()

    def close(self) -> None:
        """Stop logging and close the file."""
        root = logging.getLogger()
        for handler in self._handlers:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(self._level_before)


def set_up(level: str, folder: Path, *, size: int = 5_000_000, keep: int = 3, ring: int = 1000) -> Logs:
    """Log to `folder`/hearth.log, in at most `keep` + 1 files of `size` bytes, and to a ring of the last lines.

    A file that cannot be opened or written costs the file, never the program.
    """
    recent = Ring(ring)
    handlers: list[logging.Handler] = [recent]
    try:
        handlers.append(_File(folder / "hearth.log", maxBytes=size, backupCount=keep, encoding="utf-8"))
    except OSError as error:
        recent.emit(logging.makeLogRecord({"name": __name__, "levelname": "WARNING", "msg": f"no log file: {error}"}))
    root = logging.getLogger()
    logs = Logs(handlers, recent, root.level)
    for handler in handlers:
        handler.setFormatter(Line())
        root.addHandler(handler)
    root.setLevel(level.upper())
    return logs


def clean(text: str) -> str:
    """`text` on one line, with secrets hidden and control characters made visible."""
    for secret in _SECRETS:
        text = secret.sub(rf"\1{_HIDDEN}", text)
    return display(text, keep="")


class _File(logging.handlers.RotatingFileHandler):
    def _open(self) -> Any:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return open(descriptor, self.mode, encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk must not print a traceback for every line; the ring still has it."""
