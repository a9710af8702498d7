"""Who may come in: decided from the handshake's headers alone, before a word is exchanged. Pure.

Exactly one Host of ours (so that no name of a web site's leads here), the Origin of our extension, `hearth.v1`, and
either a token or the wish to pair. A native program can forge an Origin: the token is what counts, and the backend
alone knows whether it is good.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from hearth_shared.extension import is_extension

PROTOCOL: Final = "hearth.v1"
PATH: Final = "/v1"
_PAIR: Final = "hearth.pair"
_TOKEN: Final = "hearth.token."
_FORM: Final = re.compile(r"hth_[A-Za-z0-9_\-]{1,200}")


class Visitor(NamedTuple):
    """A browser's extension; without a token it may only pair."""

    origin: str
    token: str

    def __repr__(self) -> str:
        return f"Visitor({self.origin!r}, {'a token' if self.token else 'no token'})"


class Turned(NamedTuple):
    """Turned away, with an HTTP status."""

    status: int
    why: str


def look(path: str, port: int, hosts: Sequence[str], origins: Sequence[str], offers: Sequence[str]) -> Visitor | Turned:
    """Let in or turned away. Each sequence holds the values of a header that came once, twice or not at all."""
    if path != PATH:
        return Turned(404, "There is nothing here.")
    if len(hosts) != 1 or hosts[0].lower() not in (f"127.0.0.1:{port}", f"localhost:{port}"):
        return Turned(403, "This door is for this machine's browser only.")
    if len(origins) != 1 or not is_extension(origins[0]):
        return Turned(403, "This door is for Hearth's extension only.")
    offered = [name.strip() for offer in offers for name in offer.split(",")]
    if offered.count(PROTOCOL) != 1:
        return Turned(400, f"This door speaks {PROTOCOL}.")
    return _with_token(origins[0], offered)


def _with_token(origin: str, offered: Sequence[str]) -> Visitor | Turned:
    tokens = [name.removeprefix(_TOKEN) for name in offered if name.startswith(_TOKEN)]
    if not tokens and _PAIR in offered:
        return Visitor(origin, "")
    if len(tokens) == 1 and _PAIR not in offered and _FORM.fullmatch(tokens[0]):
        return Visitor(origin, tokens[0])
    return Turned(401, "This browser is not paired.")
