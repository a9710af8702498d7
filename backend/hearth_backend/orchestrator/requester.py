"""Who asks for work: the person through one of their own doors, or a program with a token."""

from dataclasses import dataclass
from typing import Final

from hearth_shared.protocol.principals import Door

PERSON: Final = "person"


@dataclass(frozen=True, slots=True)
class Requester:
    """`owner` is whom the work belongs to: "person", or "client:<id>" for a third-party token."""

    owner: str
    door: Door
    principal: str
    spaces: frozenset[str]
    request_id: str
    trace_id: str = ""
