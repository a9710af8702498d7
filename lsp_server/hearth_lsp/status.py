"""How Hearth is, told to the editor whenever it changes, from the backend's own events: nothing is polled."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Literal

from hearth_lsp.backend import Backend
from hearth_shared.errors import HearthError
from hearth_shared.wire import EventType, Status

log = logging.getLogger(__name__)
_APPROVALS = frozenset({EventType.APPROVAL_REQUESTED, EventType.APPROVAL_DECIDED, EventType.APPROVAL_EXPIRED})
_TELLING = frozenset(
    {EventType.TASK_STARTED, EventType.TASK_FINISHED, EventType.TASK_FAILED, EventType.TASK_CANCELLED}
    | {EventType.MODEL_LOADING, EventType.MODEL_READY, EventType.MODEL_FALLBACK, EventType.HEALTH_CHANGED}
    | _APPROVALS
)
_PATIENCE_S = (0.25, 0.5, 1.0, 2.0, 4.0)  # a backend that another door is replacing comes back within this time
_RESTARTS, _STEADY_S, _LONGEST_PAUSE_S = 3, 60.0, 30.0
Kind = Literal["Normal", "Inactive", "Warning", "Error"]
_KINDS: dict[str, Kind] = {"no model": "Inactive", "paused": "Inactive", "fault": "Error", "needs you": "Warning"}
ASK_STARTS_IT = "Ask something to start it, or run `hearth up`."


@dataclass(frozen=True, slots=True)
class Shown:
    """What an editor shows of Hearth. `kind` and `busy` are as other assistants tell them, so that their status lines
    can be used."""

    state: str = "starting"
    kind: Kind = "Inactive"
    busy: bool = False
    message: str = "Hearth is starting."
    model: str = ""
    approvals: int = 0

    def params(self) -> dict[str, Any]:
        """As it is sent."""
        return {name: getattr(self, name) for name in ("state", "kind", "busy", "message", "model", "approvals")}


class StatusLine:
    """Follows the backend. `publish` is called with every change; `complain` once for a backend that cannot start;
    `approvals` when others may wait for the person than before."""

    def __init__(
        self,
        backend: Backend,
        publish: Callable[[Shown], None],
        complain: Callable[[HearthError], None],
        approvals: Callable[[], Awaitable[None]],
    ) -> None:
        self._backend = backend
        self._publish = publish
        self._complain = complain
        self._approvals = approvals
        self._others_wait = True
        self._seq: int | None = None
        self._wake = asyncio.Event()
        self._stale = asyncio.Event()
        self._no_completion = ""
        self._complained = False
        self._told = self.shown = Shown()
        self.can_write = True

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        restarts = quick = 0
        there = await self._start()
        while True:
            since = loop.time()
            if there:
                await self._follow()
            steady = loop.time() - since > _STEADY_S
            restarts, quick = (0, 0) if steady else (restarts, quick + 1)
            if there and self._backend.was_killed() and restarts < _RESTARTS:
                restarts += 1
                there = await self._start()
            else:
                await asyncio.sleep(min(_LONGEST_PAUSE_S, _PATIENCE_S[0] * (2**quick - 1)))
                there = await self._comes_back()

    def poke(self) -> None:
        """Something was asked: if the backend runs again, it is followed again."""
        self._wake.set()

    def completion_failed(self, error: HearthError) -> bool:
        """Say in the status why nothing is completed. Whether that is new."""
        new = self._no_completion != error.detail
        self._no_completion = error.detail
        self._show(self._told)
        return new

    def completion_worked(self) -> None:
        """It is well again."""
        if self._no_completion:
            self._no_completion = ""
            self._stale.set()

    async def _start(self) -> bool:
        try:
            await self._hear(await self._backend.ask("GET", "/v1/status"))
        except HearthError as error:
            log.warning("no backend: %s", error)
            self._show(Shown("offline", "Error", message=f"Hearth cannot start. {error}"))
            if not self._complained:
                self._complained = True
                self._complain(error)
            return False
        self._complained = False
        return True

    async def _follow(self) -> None:
        """Its events, until they end: all since its status was heard, so that none is missed in between."""
        self._others_wait = True
        self._stale.set()
        refreshing = asyncio.create_task(self._refresh())
        try:
            if self._seq is None:
                await self._hear(await self._backend.look("GET", "/v1/status"))
            async with aclosing(self._backend.happenings(self._seq)) as events:
                async for event in events:
                    self._seq = event["seq"]
                    self._others_wait = self._others_wait or event["type"] in _APPROVALS
                    if event["type"] in _TELLING:
                        self._stale.set()
        except HearthError as error:
            log.info("the backend is not followed any more: %s", error.code)
        finally:
            refreshing.cancel()

    async def _refresh(self) -> None:
        """Look again after each event that tells something; several at once are one look."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self._hear(await self._backend.look("GET", "/v1/status"))
            except HearthError as error:
                log.info("no status: %s", error.code)

    async def _comes_back(self) -> bool:
        """Wait for another backend: a few looks, and then until something is asked."""
        for pause in _PATIENCE_S:
            if await self._backend.is_running():
                return True
            await asyncio.sleep(pause)
        if self.shown.state != "offline":
            self._show(Shown("offline", "Inactive", message=f"Hearth is not running. {ASK_STARTS_IT}"))
        while True:
            self._wake.clear()  # before the look: what is asked while it looks wakes it
            if await self._backend.is_running():
                return True
            await self._wake.wait()

    async def _hear(self, status: Status) -> None:
        """First which approvals wait: an editor that is told how many asks for them at once."""
        self._seq = status["seq"] if self._seq is None else self._seq
        if self._others_wait:
            self._others_wait = False
            try:
                await self._approvals()
            except HearthError as error:
                self._others_wait = True
                log.info("approvals are not known: %s", error.code)
        self._take(status)

    def _take(self, status: Status) -> None:
        writers = [model for model in status["models"] if "chat" in model["roles"]]
        self.can_write = bool(writers)
        if self._no_completion and any("complete" in model["roles"] for model in status["models"]):
            self._no_completion = ""
        self._show(_shown(status))

    def _show(self, shown: Shown) -> None:
        self._told = shown
        if self._no_completion and shown.kind == "Normal":
            shown = replace(
                shown, kind="Inactive", message=f"{shown.message} Nothing is completed: {self._no_completion}"
            )
        if shown != self.shown:
            self.shown = shown
            self._publish(shown)


def _shown(status: Status) -> Shown:
    models = [model for model in status["models"] if {"chat", "complete"} & set(model["roles"])]
    model = models[0]["id"] if models else ""
    waiting = status["approvals_pending"]
    state = status["state"]
    if not models and state == "idle":
        state = "no model"
    return Shown(
        state, _KINDS.get(state, "Normal"), state == "thinking", _message(status, state, model), model, waiting
    )


def _message(status: Status, state: str, model: str) -> str:
    waiting = status["approvals_pending"]
    match state:
        case "needs you":
            what = "1 approval waits" if waiting == 1 else f"{waiting} approvals wait"
            return f"{what} for your decision: `hearth approvals list`."
        case "thinking":
            return "Hearth is thinking."
        case "paused":
            return "Hearth is paused."
        case "no model":
            return "No model is connected; memory and recall work. `hearth models list` shows how to connect one."
        case "fault":
            return _fault(status)
        case _:
            return f"Hearth is ready: {model}." if model else "Hearth is ready."


def _fault(status: Status) -> str:
    for component in status["components"]:
        if component["state"] == "fault":
            return f"{component['name']}: {component['detail']} {component['fix']}".strip()
    return "A part of Hearth is at fault: `hearth doctor` says which."
