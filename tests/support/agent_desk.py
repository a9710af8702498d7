"""An agent's loop over real model servers, with a memory of a few sentences behind it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hearth_backend.agent.loop import AgentLoop
from hearth_backend.agent.profiles import Profiles
from hearth_backend.agent.run_view import RunView
from hearth_backend.gateway.messages import Provider
from hearth_backend.memory.at_hand import Held
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.tools.clock import Clock
from hearth_backend.tools.recall import Recall
from hearth_backend.tools.registry import Registry
from hearth_backend.tools.tool import AnyTool
from hearth_shared.protocol.tasks import Source
from hearth_shared.settings import Memory as MemorySettings
from hearth_shared.settings import Models as Policy
from support.gateways import gateway_over
from support.guards import ScriptedGuard
from support.memories import SmallMemory, file_passages, memory

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DENTIST = memory("My dentist is Dr. Ito.", occurred_at=NOON.timestamp())


@dataclass
class Desk:
    """A loop, and the memory behind it."""

    loop: AgentLoop
    memory: SmallMemory


@asynccontextmanager
async def desk(
    folder: Path,
    *providers: Provider,
    sources: Sequence[Source] = (),
    pinned: Sequence[str] = (),
    enabled: bool = True,
    guard: ScriptedGuard | None = None,
    policy: Policy | None = None,
    agents: Profiles | None = None,
    tools: Sequence[AnyTool] = (),
    held: Held | None = None,
    background: Sequence[Source] = (),
) -> AsyncGenerator[Desk]:
    """`held` is what the thread has at hand, `background` what earlier conversations came to."""
    remembered = SmallMemory([*sources])

    async def notes(spaces: frozenset[str]) -> Sequence[str]:
        return pinned

    async def at_hand(run_id: str, thread_id: str | None) -> Held:
        return held or Held()

    async def behind(run: RunView) -> Sequence[Source]:
        return background

    async with gateway_over(folder, *providers, policy=policy) as bench:
        loop = AgentLoop(
            bench.gateway,
            remembered,
            Registry([Recall(remembered), Clock(lambda: NOON), *tools]),
            Tracer(),
            Metrics(),
            MemorySettings(enabled=enabled),
            guard=guard or ScriptedGuard(),
            passages_of=file_passages,
            remember=remembered.remember,
            pinned=notes,
            at_hand=at_hand,
            background=behind,
            agents=agents,
            now=lambda: NOON,
        )
        yield Desk(loop, remembered)
