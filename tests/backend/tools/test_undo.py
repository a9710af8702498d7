import random
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from hearth_backend.tools import snapshot
from hearth_backend.tools.beneath import Beneath
from hearth_shared.errors import Conflict, NotFound
from support.places import Place, granted, tree

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    async with granted(tmp_path) as place:
        yield place


async def test_everything_a_task_wrote_is_as_before(place: Place) -> None:
    (place.folder / "a.txt").chmod(0o640)
    before = place.tree()
    await place.done(place.write, "run_1:0", path="a.txt", text="second")
    await place.done(place.write, "run_1:1", path="a.txt", text="third")
    await place.done(place.write, "run_1:2", path="new/deep/b.txt", text="b")
    await place.done(place.write, "run_1:3", path="new/deep/b.txt", text="c")
    undone = await place.undo.undo("run_1")
    assert place.tree() == before
    assert "a.txt" in undone.paths
    assert len(undone.tools) == 4
    with pytest.raises(NotFound, match="nothing to undo"):
        await place.undo.undo("run_1")


async def test_what_was_changed_since_is_named_and_nothing_is_touched(place: Place) -> None:
    await place.done(place.write, "run_1:0", path="a.txt", text="second")
    await place.done(place.write, "run_1:1", path="b.txt", text="b")
    (place.folder / "a.txt").write_text("by hand")
    after = place.tree()
    with pytest.raises(Conflict, match=r"Changed since the task left it: a\.txt") as raised:
        await place.undo.undo("run_1")
    assert raised.value.data["changed"] == ["a.txt"]
    assert place.tree() == after


async def test_a_task_that_changed_nothing_has_nothing_to_undo(place: Place) -> None:
    with pytest.raises(NotFound):
        await place.undo.undo("run_9")


async def test_the_files_tell_how_far_an_interrupted_call_came(place: Place) -> None:
    assert await place.undo.look_back("run_1:0") == "not done"
    await place.done(place.write, "run_1:0", path="a.txt", text="second")
    assert await place.undo.look_back("run_1:0") == "done"


async def test_a_folder_is_put_back_whatever_was_done_in_it(place: Place) -> None:
    chance = random.Random(7)
    work = place.folder / "work"
    work.mkdir()
    for number in range(20):
        (work / f"{number}.txt").write_bytes(chance.randbytes(50))
    (work / "inner").mkdir()
    (work / "inner" / "link").symlink_to("../1.txt")
    before = tree(work)
    with Beneath(str(place.folder)) as folder:
        first = snapshot.taken(folder, "work")
        (work / "0.txt").unlink()
        (work / "1.txt").write_text("other")
        (work / "2.txt").chmod(0o755)
        (work / "inner" / "link").unlink()
        (work / "inner").rmdir()
        (work / "inner").write_text("a file where a folder was")
        (work / "3.txt").unlink()
        (work / "3.txt").mkdir()
        (work / "3.txt" / "x").write_text("x")
        second = snapshot.taken(folder, "work")
    assert first is not None
    assert second is not None
    await place.undo.prepare("k", "run_1", "shell", str(place.folder), snapshot.differences(first, second))
    await place.undo.done("k")
    await place.undo.undo("run_1")
    assert tree(work) == before


async def test_what_is_too_old_is_forgotten(place: Place) -> None:
    await place.done(place.write, "run_1:0", path="a.txt", text="second")
    assert await place.undo.prune(0) == 0
    assert await place.undo.prune(1e12) == 1
    with pytest.raises(NotFound):
        await place.undo.undo("run_1")
