from dataclasses import replace
from pathlib import Path

import pytest

from hearth_backend.agent.run_view import RunView
from support.agent_desk import DENTIST, desk
from support.gateways import provider_of
from support.journals import RUN, MemoryJournal
from support.memories import memory
from support.provider import model_server, words

pytestmark = pytest.mark.integration

ROOF = memory("The roof leaks.", "epi_7", title="2026-W47")


async def test_what_earlier_conversations_came_to_is_laid_before_a_model_and_can_be_cited(tmp_path: Path) -> None:
    async with (
        model_server(words("It leaks [101].")) as server,
        desk(tmp_path, provider_of(server), sources=[DENTIST], background=[ROOF]) as at,
    ):
        journal = MemoryJournal()
        answer = await at.loop(journal)
        asked = server.calls[0].body["messages"][-1]["content"]
    assert "cite by number what you use:\n[101] The roof leaks." in asked
    assert [(source.n, source.id, source.cited) for source in answer.sources] == [(101, "epi_7", True)]
    assert journal.steps[0][2]["background"][0]["id"] == "epi_7"  # so that forgetting finds what was read


async def test_background_that_no_answer_cites_is_not_among_its_sources(tmp_path: Path) -> None:
    async with (
        model_server(words("Hm.")) as server,
        desk(tmp_path, provider_of(server), sources=[DENTIST], background=[ROOF]) as at,
    ):
        answer = await at.loop(MemoryJournal())
    assert [source.id for source in answer.sources] == ["ep_1"]


@pytest.mark.parametrize("stays", [False, True])
async def test_background_that_must_stay_here_is_laid_before_a_model_of_this_machine_alone(
    tmp_path: Path, stays: bool
) -> None:
    behind = [ROOF.model_copy(update={"local_only": True})]
    async with model_server(words("Hm.")) as server, desk(tmp_path, provider_of(server), background=behind) as at:
        await at.loop(MemoryJournal(replace(RUN, local_only=stays)))
        asked = server.calls[0].body["messages"][-1]["content"]
    assert ("The roof leaks." in asked) is stays


@pytest.mark.parametrize("run", [replace(RUN, owner="client:c1"), replace(RUN, depth=1)], ids=["a program", "a part"])
async def test_neither_a_program_nor_a_part_of_a_plan_is_told_of_other_conversations(
    tmp_path: Path, run: RunView
) -> None:
    async with model_server(words("Hm.")) as server, desk(tmp_path, provider_of(server), background=[ROOF]) as at:
        await at.loop(MemoryJournal(run))
        told = str(server.calls[0].body["messages"])
    assert "The roof leaks." not in told


async def test_a_step_of_an_earlier_hearth_without_background_is_read(tmp_path: Path) -> None:
    async with model_server(words("Dr. Ito [1].")) as server, desk(tmp_path, provider_of(server)) as at:
        journal = MemoryJournal()
        first = await at.loop(journal)
        name, call, record = journal.steps[0]
        journal.steps[0] = (name, call, {key: value for key, value in record.items() if key != "background"})
        again = await at.loop(journal.again(9))
    assert again == first
