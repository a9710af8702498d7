"""A webhook's address, body and signature. Pure."""

import hashlib
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from hearth_shared.errors import BadRequest

MARK: Final = "hearth-delivery"
"""The header that every delivery carries: a request with it came from a webhook, and starts no task."""
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook goes."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        """As a person grants it."""
        return f"{self.host}:{self.port}"


def target(url: str) -> Target:
    """The parts of a webhook's URL. Raises BadRequest for one that cannot be one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _wrong("it is no URL") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise _wrong("it is no http or https address")
    if parts.username is not None or parts.password is not None:
        raise _wrong("it carries a user name or password")
    if not url.isprintable() or any(sign in url for sign in " \\"):
        raise _wrong("it holds signs that do not belong there")
    path = parts.path or "/"
    query = f"?{parts.query}" if parts.query else ""
    return Target(parts.scheme, parts.hostname.rstrip("."), port or _PORTS[parts.scheme], f"{path}{query}")


def granted(where: Target, allowed: Collection[str]) -> bool:
    """Whether the person named this place in `webhooks.allow`: HOST or HOST:PORT."""
    return where.host in allowed or where.place in allowed


def body_of(task: dict[str, Any]) -> bytes:
    """What is sent: how the task ended."""
    return json.dumps({"type": f"task.{task['status']}", "task": task}, ensure_ascii=False).encode()


def signature(secret: str, at: int, body: bytes) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA256 over "SECONDS.BODY", so that an old delivery cannot be sent again as new."""
    signed = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def verify(secret: str, header: str, body: bytes, now: float, within_s: float = 300) -> bool:
    """Whether a delivery is ours and new, as a receiver asks."""
    parts = {name: value for name, _, value in (part.partition("=") for part in header.split(","))}
    try:
        at = int(parts["t"])
    except (KeyError, ValueError):
        return False
    return abs(now - at) <= within_s and hmac.compare_digest(signature(secret, at, body), header)


def _wrong(why: str) -> BadRequest:
    return BadRequest(f"The webhook's address cannot be used: {why}.", "Give an https address of your own.")
