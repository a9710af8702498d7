import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from hearth_backend.tools import commands
from hearth_backend.tools.commands import Python, Shell
from hearth_backend.tools.sandbox.battery import Verdict
from hearth_backend.tools.sandbox.sandbox import Sandbox
from hearth_shared.errors import ApprovalMismatch, Forbidden, ToolOff
from support.ordinary import only_for_others, only_for_root
from support.places import CONTEXT, Place, granted, tree
from support.tools import need

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    async with granted(tmp_path) as place:
        (place.folder / "hard").unlink()
        yield place


async def contained() -> Verdict:
    """What test_sandbox.py finds out."""
    return Verdict({"read a secret": "shut"})


def shell(place: Place) -> Shell:
    need("bwrap")
    return Shell(place.roots, Sandbox(trial=contained), place.undo)


@only_for_root
async def test_as_root_nothing_is_run(place: Place) -> None:
    with pytest.raises(ToolOff):
        await place.done(Shell(place.roots, Sandbox(), place.undo), command="id")


@only_for_others
async def test_a_command_runs_in_its_folder_and_can_be_taken_back(place: Place) -> None:
    before = tree(place.folder)
    said = await place.done(shell(place), command="echo new > made.txt; rm a.txt; mkdir d; pwd; cat hearth/run/cli.key")
    assert str(place.folder) in said
    assert "KEY" not in said
    assert "[changed: a.txt, made.txt]" in said
    assert (place.folder / "made.txt").read_text() == "new\n"
    await place.undo.undo("run_1")
    assert tree(place.folder) == before


@only_for_others
async def test_nothing_outside_is_there(place: Place) -> None:
    said = await place.done(
        shell(place), command=f"cat {place.outside}/secret out; ls ~ /home; env; cat /proc/1/environ | tr '\\0' ' '"
    )
    assert "SECRET" not in said
    assert "HEARTH" not in said
    assert "No such file" in said


@only_for_others
async def test_python_runs_too(place: Place) -> None:
    need("bwrap")
    python = Python(place.roots, Sandbox(trial=contained), place.undo)
    assert "2.5" in await place.done(python, code="print(5 / 2)")
    assert "exit status 3" in await place.done(python, "run_1:1", code="raise SystemExit(3)")


@only_for_others
async def test_one_that_hangs_floods_or_dies_is_ended_and_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = shell(place)
    assert "said more than" in await place.done(tool, "run_1:0", command="yes")
    assert "exit status 137" in await place.done(tool, "run_1:1", command="kill -9 $$")
    monkeypatch.setattr(commands, "_SECONDS", 3)
    said = await place.done(tool, "run_1:2", command="echo begun > x; sleep 100")
    assert "did not come to an end within 3 s" in said
    assert "[changed: x]" in said


@only_for_others
async def test_what_other_programs_obey_cannot_be_written(place: Place) -> None:
    hooks = place.folder / ".git" / "hooks"
    hooks.mkdir(parents=True)
    said = await place.done(shell(place), command="echo evil > .git/hooks/post-commit; echo fine > .git/HEAD")
    assert "Read-only" in said
    assert not (hooks / "post-commit").exists()
    assert (place.folder / ".git" / "HEAD").exists()


@only_for_others
async def test_a_file_that_a_command_names_is_part_of_what_is_decided(place: Place) -> None:
    tool = shell(place)
    read = tool.read({"command": "sh run.sh"})
    (place.folder / "run.sh").write_text("echo good")
    seen = (await tool.plan(read, CONTEXT)).state
    (place.folder / "run.sh").write_text("echo evil")
    assert (await tool.plan(read, CONTEXT)).state != seen


@only_for_others
async def test_another_folder_in_its_place_is_not_run_in(place: Place) -> None:
    tool = shell(place)
    read = tool.read({"command": "touch x", "folder": "sub"})
    seen = replace(CONTEXT, plan=await tool.plan(read, CONTEXT))
    (place.folder / "sub").rename(place.folder / "old")
    (place.folder / "sub").mkdir()
    with pytest.raises(ApprovalMismatch):
        await tool.call(read, seen)
    assert not (place.folder / "sub" / "x").exists()


@only_for_others
async def test_a_second_name_of_a_file_elsewhere_is_refused(place: Place) -> None:
    (place.folder / "hard").hardlink_to(place.outside / "secret")
    with pytest.raises(Forbidden, match="a second name elsewhere"):
        await place.done(shell(place), command="echo x > hard")


@only_for_others
async def test_who_is_cancelled_leaves_nothing_running(place: Place) -> None:
    tool = shell(place)
    read = tool.read({"command": "touch begun; sleep 50; touch late"})
    seen = replace(CONTEXT, plan=await tool.plan(read, CONTEXT))
    work = asyncio.create_task(tool.call(read, seen))
    while not (place.folder / "begun").exists():  # noqa: ASYNC110  nothing else tells
        await asyncio.sleep(0.01)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not (place.folder / "late").exists()
    assert (await place.undo.undo("run_1")).paths
