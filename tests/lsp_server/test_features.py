import pytest

from support.backend import Backend
from support.editor import GHOSTS, editor, span
from support.provider import words
from support.scripted_server import Scripted

pytestmark = pytest.mark.editors

URI = "file:///w/a.py"
REMEMBER = "Hearth: remember these lines"
EDIT = "Hearth: edit this by instruction…"


def without(ability: str) -> dict[str, object]:
    return {**GHOSTS, "textDocument": {**GHOSTS["textDocument"], ability: None}}


async def test_what_can_be_done_with_a_selection(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("x"))
    problems = [{"range": span(0, 0, 0, 1), "message": f"problem {number}"} for number in range(5)]
    async with editor(scripted.home) as one:
        await one.state("idle")
        one.open(URI, "x\ny\n")
        found = await one.actions(URI, span(0, 0, 1, 0), problems)
        rewriting = await one.actions(URI, span(0, 0, 1, 0), problems, only=["refactor"])
        organising = await one.actions(URI, span(0, 0, 1, 0), problems, only=["source.organizeImports"])
    fixes = [f"Hearth: fix “problem {number}”" for number in range(3)]
    assert [action["title"] for action in found] == [*fixes, "Hearth: explain this", REMEMBER, EDIT]
    assert [action["title"] for action in rewriting] == [EDIT]
    assert organising == []


async def test_what_needs_a_model_says_so_where_there_is_none(bare: Backend) -> None:
    async with editor(bare.home) as one:
        await one.state("no model")
        one.open(URI, "x\n")
        edit = next(action for action in await one.actions(URI, span(0, 0, 0, 1)) if action["title"] == EDIT)
    assert "hearth models list" in edit["disabled"]["reason"]
    assert "command" not in edit


async def test_an_editor_that_knows_only_commands_gets_commands(bare: Backend) -> None:
    async with editor(bare.home, without("codeAction")) as one:
        one.open(URI, "x\n")
        found = await one.actions(URI, span(0, 0, 0, 0))
    assert {action["command"] for action in found} == {"hearth.explain", "hearth.edit"}


async def test_an_editor_without_ghost_text_can_complete_by_an_action(bare: Backend) -> None:
    async with editor(bare.home, without("inlineCompletion")) as one:
        one.open(URI, "x\n")
        found = await one.actions(URI, span(0, 1, 0, 1))
    assert "Hearth: complete here" in [action["title"] for action in found]


async def test_an_editor_that_takes_no_edits_is_offered_none(bare: Backend) -> None:
    async with editor(bare.home, {}) as one:
        one.open(URI, "x\n")
        found = await one.actions(URI, span(0, 1, 0, 1))
    assert [action["title"] for action in found] == ["Hearth: explain this"]
