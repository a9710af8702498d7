from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest

from hearth_backend.agent.loop import AgentLoop
from hearth_backend.gateway.messages import Provider
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.tools.recall import Recall
from hearth_backend.tools.registry import Registry
from hearth_shared.protocol.events import EventType
from hearth_shared.settings import Memory as MemorySettings
from hearth_shared.settings import Models as Policy
from support import provider as server_that
from support.faults import MIDDLE, SILENT
from support.gateways import gateway_over, provider_of
from support.guards import ScriptedGuard
from support.journals import MemoryJournal
from support.memories import SmallMemory, file_passages, memory
from support.provider import model_server, tool_call, words

pytestmark = pytest.mark.integration

Mending = Literal["restart", "continue"]


@asynccontextmanager
async def agent(folder: Path, *providers: Provider, mending: Mending) -> AsyncGenerator[AgentLoop]:
    """A loop with one tool, and a gateway that mends answers so."""
    remembered = SmallMemory([memory("I drink green tea.", "ep_9")])
    async with gateway_over(folder, *providers, policy=Policy(broken_off=mending)) as bench:
        yield AgentLoop(
            bench.gateway,
            remembered,
            Registry([Recall(remembered)]),
            Tracer(),
            Metrics(),
            MemorySettings(),
            guard=ScriptedGuard(),
            passages_of=file_passages,
            remember=remembered.remember,
        )


async def test_another_model_goes_on_and_the_person_sees_where(tmp_path: Path) -> None:
    async with (
        model_server(server_that.cut_off("Your dent", orderly=True)) as bad,
        model_server(words("ist is Dr. Ito.")) as good,
        agent(tmp_path, provider_of(bad, "bad"), provider_of(good, "good"), mending="continue") as ask,
    ):
        journal = MemoryJournal()
        answer = await ask(journal)
    assert answer.text == journal.said() == "Your dentist is Dr. Ito."
    assert answer.complete
    assert journal.resets == []
    (seam,) = [data for kind, data in journal.events if kind is EventType.TEXT_SEAM]
    assert (seam["part"], seam["offset"], seam["from"], seam["to"]) == (0, 9, "bad/m", "m")
    assert answer.notes == ["bad/m broke off in its answer; m went on from there."]


@pytest.mark.parametrize("mending", ["restart", "continue"])
@pytest.mark.parametrize("fault", [name for name in MIDDLE if name not in SILENT])
async def test_a_tool_is_used_once_whoever_answers_in_the_end(tmp_path: Path, fault: str, mending: Mending) -> None:
    call = tool_call("recall", '{"question": "tea"}')
    async with (
        model_server(call, MIDDLE[fault](False)) as bad,
        model_server(words("Tea.")) as good,
        agent(tmp_path, provider_of(bad, "bad"), provider_of(good, "good"), mending=mending) as ask,
    ):
        journal = MemoryJournal()
        answer = await ask(journal)
    assert answer.complete
    assert answer.text == journal.said()
    assert answer.text.endswith("Tea.")
    assert [kind for kind, _ in journal.events].count(EventType.TOOL_FINISHED) == 1


@pytest.mark.parametrize("fault", [name for name in MIDDLE if name not in SILENT])
async def test_a_call_that_broke_off_is_not_made(tmp_path: Path, fault: str) -> None:
    async with (
        model_server(MIDDLE[fault](True)) as bad,
        model_server(words("Tea.")) as good,
        agent(tmp_path, provider_of(bad, "bad"), provider_of(good, "good"), mending="continue") as ask,
    ):
        journal = MemoryJournal()
        answer = await ask(journal)
    assert (answer.text, answer.complete) == ("Tea.", True)
    assert EventType.TOOL_CALLED not in [kind for kind, _ in journal.events]
