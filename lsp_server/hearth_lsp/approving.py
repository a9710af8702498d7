"""Approvals that touch a file which is open: shown as lenses over it, and decided here while the person lets editors
decide. Whether they may is the backend's to say, each time."""

import asyncio
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from hearth_lsp import cards
from hearth_lsp.backend import Backend
from hearth_lsp.cards import Lens
from hearth_lsp.document import Document
from hearth_lsp.documents import path_of
from hearth_lsp.window import Window
from hearth_shared.errors import BadRequest, Conflict, Forbidden, HearthError
from hearth_shared.wire import Approval, ApprovalList

_PENDING = "/v1/approvals?status=pending"
_ARMED_AFTER_S = 0.5
_LATER = "Later"
_REASONS = ("Not now.", "Leave this file alone.", "Do it another way.")
_LONGEST_REASON = 10_000
Shown = tuple[Approval, Lens]


class Approver:
    """`changed` is called when other approvals wait than before, so that the editor asks for lenses again."""

    def __init__(self, backend: Backend, window: Window, changed: Callable[[], None]) -> None:
        self._backend = backend
        self._window = window
        self._changed = changed
        self._waiting: frozenset[str] = frozenset()

    async def look(self) -> None:
        """What waits now; asked when an event says that it changed."""
        found: ApprovalList = await self._backend.look("GET", _PENDING)
        waiting = frozenset(one["id"] for one in found["approvals"])
        if waiting != self._waiting:
            self._waiting = waiting
            self._changed()

    async def lenses(self, document: Document) -> list[Shown]:
        """Over a file, with its approvals. Nobody is asked while nothing waits; else anew, for a grant may have come
        or gone."""
        if not self._waiting or not document.uri.startswith("file:"):
            return []
        try:
            found: ApprovalList = await self._backend.look("GET", _PENDING)
        except HearthError:
            return []
        path = await asyncio.to_thread(os.path.realpath, path_of(document.uri))
        touching = [one for one in found["approvals"] if path in one["paths"]]
        return [(one, lens) for one in touching for lens in cards.lenses(one, may_decide=found["may_decide"])]

    async def show(self, approval_id: str) -> Approval:
        """The whole card, as a document."""
        approval: Approval = await self._backend.ask("GET", _route(approval_id))
        await self._window.show_page(f"approval {approval['tool']}", cards.page(approval))
        return approval

    async def decide(self, approval_id: str, decision: str, reason: str) -> bool:
        """Whether it was decided: the card is shown first, and its answer is asked for once it could be read."""
        if decision not in cards.CHOICES:
            raise BadRequest(
                "An editor accepts, responds or ignores.", "To have something else done, edit it in the tray."
            )
        approval = await self.show(approval_id)
        if approval["status"] != "pending":
            raise Conflict(f"It is decided already: {cards.status(approval)}.", "Nothing needs to be done.")
        await asyncio.sleep(_ARMED_AFTER_S)
        body = await self._answer(approval, decision, reason)
        if body is None:
            return False
        try:
            await self._backend.ask("POST", _route(approval_id), body)
        except Forbidden as error:
            raise Forbidden(
                "Editors may not decide approvals.",
                "Decide in the tray or with `hearth approvals`; `hearth pair editor --decide` lets editors decide.",
            ) from error
        self._window.say(f"Hearth: {cards.DONE[decision]}")
        return True

    async def _answer(self, approval: Approval, decision: str, reason: str) -> dict[str, Any] | None:
        """What is decided; None for later."""
        asked = cards.question(approval, decision)
        if decision != "respond":
            choice = cards.CHOICES[decision]
            return {"decision": decision} if await self._window.choose(asked, choice, _LATER) == choice else None
        reasons = (reason[:_LONGEST_REASON],) if reason else _REASONS
        chosen = await self._window.choose(asked, *reasons, _LATER)
        return {"decision": decision, "text": chosen} if chosen in reasons else None


def _route(approval_id: str) -> str:
    return f"/v1/approvals/{quote(approval_id, safe='')}"
