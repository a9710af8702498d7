"""What must stay on this machine keeps the whole turn here; where no model of this machine can answer, it is left out
of the turn, and that is said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hearth_backend.agent.journal import RunView
from hearth_shared.protocol.models import Role
from hearth_shared.protocol.tasks import Source
from hearth_shared.protocol.threads import ThreadMessage


class Models(Protocol):
    """The gateway, as it is asked here."""

    async def has(self, role: Role, *, local_only: bool = False) -> bool: ...


@dataclass(frozen=True, slots=True)
class Stay:
    """The run as it may go on, what may be laid before its model, and what to say."""

    run: RunView
    sources: Sequence[Source]
    note: str = ""


async def stay(models: Models, run: RunView, sources: Sequence[Source]) -> Stay:
    """Nothing changes for a run that stays here anyway, or has nothing that must."""
    kept = [source for source in sources if not source.local_only]
    history = [message for message in run.history if not message.local_only]
    left_out = len(sources) - len(kept) + len(run.history) - len(history)
    if run.local_only or not left_out:
        return Stay(run, sources)
    if await models.has("chat", local_only=True):
        return Stay(replace(run, local_only=True), sources)
    return Stay(replace(run, history=_answered(history)), kept, _said(left_out))


def _answered(history: Sequence[ThreadMessage]) -> tuple[ThreadMessage, ...]:
    """Without answers whose questions are left out."""
    asked = {message.run_id for message in history if message.role == "user"}
    return tuple(message for message in history if message.role == "user" or message.run_id in asked)


def _said(count: int) -> str:
    what = (
        "1 thing that must stay on this machine was"
        if count == 1
        else (f"{count} things that must stay on this machine were")
    )
    return f"{what} left out: no model of this machine can answer. `hearth models list` shows what can."
