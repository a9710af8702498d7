"""How the index over memories is."""

from typing import Literal

from hearth_shared.protocol.base import Message, Request


class IndexState(Message):
    """While it is made, `done` of `total` vectors are in it. Search is exact in every state but ready."""

    state: Literal["resting", "examining", "ready", "building", "unwell", "absent"]
    detail: str
    fix: str = ""
    done: int = 0
    total: int = 0


class ReindexRequest(Request):
    """Make it anew; nothing is to be chosen."""
