"""One attempt at one run, as an agent sees it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hearth_shared.protocol.tasks import Budget, Lane, TaskContext
from hearth_shared.protocol.threads import ThreadMessage


@dataclass(frozen=True, slots=True)
class RunView:
    """One attempt at one run. `depth` counts the tasks above it that made it for their plans; earlier attempts worked
    on it for `worked_s` seconds."""

    id: str
    agent_id: str
    thread_id: str | None
    goal: str
    context: TaskContext
    history: Sequence[ThreadMessage]
    lane: Lane
    door: str
    owner: str
    principal: str
    spaces: frozenset[str]
    local_only: bool
    attempt: int
    seconds_left: float | None
    budget: Budget = field(default_factory=Budget)
    depth: int = 0
    worked_s: float = 0.0
