"""T26: between the decision and the deed everything may be swapped, and nothing that was swapped is done.

HEARTH_SWAPS says how often.
"""

import os
import random
import shutil
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hearth_backend.agent.errand import Errand
from hearth_backend.agent.guard import Effect, Go, Guard, Verdict
from hearth_backend.agent.run_view import RunView
from hearth_backend.agent.turn import Turn
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_backend.tools.binding import digest
from hearth_backend.tools.performing import Performer
from hearth_backend.tools.tool import AnyTool, Arguments, ToolContext, ToolResult
from hearth_shared.errors import BadRequest
from support.journals import MemoryJournal
from support.places import CONTEXT, Place, granted, tree

pytestmark = pytest.mark.security
SWAPS = int(os.environ.get("HEARTH_SWAPS", "1000"))
NAME = "dir/file.txt"
Swap = Callable[[Place, random.Random], None]


def content(place: Place, chance: random.Random) -> None:
    (place.folder / NAME).write_text(f"other {chance.random()}")


def same_length(place: Place, chance: random.Random) -> None:
    """And the same time of change, as far as it can be faked."""
    path = place.folder / NAME
    before = path.stat()
    path.write_text(path.read_text().swapcase())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def inode(place: Place, chance: random.Random) -> None:
    """The same bytes in another file."""
    path = place.folder / NAME
    copy = path.with_name("copy")
    shutil.copy2(path, copy)
    copy.rename(path)


def link_out(place: Place, chance: random.Random) -> None:
    path = place.folder / NAME
    path.unlink()
    path.symlink_to(place.outside / "secret")


def link_inside(place: Place, chance: random.Random) -> None:
    path = place.folder / NAME
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def hard_link(place: Place, chance: random.Random) -> None:
    path = place.folder / NAME
    path.unlink()
    path.hardlink_to(place.outside / "secret")


def folder_swapped(place: Place, chance: random.Random) -> None:
    """A folder on the way becomes a link to one outside."""
    (place.folder / "dir").rename(place.folder / "dir.old")
    (place.folder / "dir").symlink_to(place.outside)


def root_swapped(place: Place, chance: random.Random) -> None:
    """The granted folder itself becomes another."""
    place.folder.rename(place.folder.with_name("granted.old"))
    shutil.copytree(place.folder.with_name("granted.old"), place.folder, symlinks=True)


def gone(place: Place, chance: random.Random) -> None:
    (place.folder / NAME).unlink()


def a_folder(place: Place, chance: random.Random) -> None:
    (place.folder / NAME).unlink()
    (place.folder / NAME).mkdir()


def mode(place: Place, chance: random.Random) -> None:
    (place.folder / NAME).chmod(0o600 if chance.random() < 0.5 else 0o755)


WORLD: tuple[Swap, ...] = (
    *(content, same_length, inode, link_out, link_inside, hard_link, folder_swapped, root_swapped, gone, a_folder),
    mode,
)


@dataclass
class Swapping(Guard):
    """Grants what it sees, and then swaps arguments or the world."""

    place: Place
    tool: AnyTool
    swap: Swap | None
    args: Mapping[str, Any] | None
    chance: random.Random

    def watches(self, run: RunView, tool: str, args: Mapping[str, Any]) -> bool:
        return False

    async def ask(self, effect: Effect) -> Verdict:
        read = self.tool.read(effect.args)
        granted_for = digest(self.tool.name, effect.args, await self.tool.plan(read, CONTEXT))
        if self.swap is not None:
            self.swap(self.place, self.chance)
        return Go(self.args or effect.args, "approval", granted_for)

    async def settle(self, effect: Effect) -> Verdict:
        raise AssertionError


class LateSwap(Performer):
    """Swaps after everything was compared, just before the tool is called."""

    def __init__(self, place: Place, swap: Swap, chance: random.Random) -> None:
        super().__init__()
        self._swap = lambda: swap(place, chance)

    async def perform(self, tool: AnyTool, arguments: Arguments, context: ToolContext) -> ToolResult:
        self._swap()
        return await super().perform(tool, arguments, context)


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    async with granted(tmp_path) as place:
        yield place


def fresh(place: Place) -> None:
    """The scene as it was."""
    for folder in (place.folder, place.folder.with_name("granted.old"), place.outside):
        shutil.rmtree(folder, ignore_errors=True)
    (place.folder / "dir").mkdir(parents=True)
    place.outside.mkdir()
    (place.outside / "secret").write_text("Secret")
    (place.outside / "file.txt").write_text("Outside")
    (place.folder / NAME).write_text("Before\n")


ARGUMENTS = {
    "write_file": {"path": NAME, "text": "Done"},
    "edit_file": {"path": NAME, "patch": "@@ -1,1 +1,1 @@\n-Before\n+Done\n"},
}


def other_arguments(name: str, chance: random.Random) -> dict[str, Any]:
    """One of them changed."""
    wanted = dict(ARGUMENTS[name])
    if chance.random() < 0.5:
        wanted["path"] = chance.choice(["dir/other.txt", "../outside/secret", f"./{NAME}", "dir/../dir/file.txt"])
    elif name == "write_file":
        wanted["text"] = f"Done {chance.random()}"
    else:
        wanted["patch"] = wanted["patch"].replace("+Done", "+Evil")
    return wanted


async def executed(place: Place, chance: random.Random, number: int) -> tuple[str, bool]:
    """One round: what was swapped, and whether anything was done."""
    fresh(place)
    tool: AnyTool = place.write if number % 2 else place.edit
    swap = chance.choice((None, *WORLD))
    args = other_arguments(tool.name, chance) if swap is None else None
    late = swap is not None and chance.random() < 0.4
    guard = Swapping(place, tool, None if late else swap, args, chance)
    performer = LateSwap(place, swap, chance) if late and swap is not None else Performer()
    seen: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def swapped(inner: Swap) -> Swap:
        def then(place: Place, chance: random.Random) -> None:
            inner(place, chance)
            seen.append((tree(place.folder), tree(place.outside)))

        return then

    if guard.swap is not None:
        guard.swap = swapped(guard.swap)
    elif isinstance(performer, LateSwap) and swap is not None:
        performer = LateSwap(place, swapped(swap), chance)
    journal = MemoryJournal()
    journal.run = replace(journal.run, id=f"run_{number}")
    errand = Errand(Turn(journal), guard, performer, Tracer(), Metrics())
    before = (tree(place.folder), tree(place.outside))
    try:
        said = await errand.run(tool, f"c{number}", ARGUMENTS[tool.name])
    except BadRequest as error:  # a patch that does not fit any more
        said = str(error)
    now = (tree(place.folder), tree(place.outside))
    kind = f"{'late ' if late else ''}{swap.__name__ if swap else 'arguments'}"
    return kind, now != (seen[0] if seen else before) or "Wrote" in said


async def test_nothing_that_was_swapped_is_done(place: Place) -> None:
    chance = random.Random(26)
    tried, done = Counter[str](), Counter[str]()
    for number in range(SWAPS):
        kind, was_done = await executed(place, chance, number)
        tried[kind] += 1
        done[kind] += was_done
    assert not +done, +done
    assert len(tried) == 2 * len(WORLD) + 1, tried


@pytest.mark.parametrize("name", ["write_file", "edit_file"])
async def test_without_a_swap_it_is_done(place: Place, name: str) -> None:
    """The same scene, so that the fuzz cannot pass because nothing ever works."""
    fresh(place)
    tool: AnyTool = place.write if name == "write_file" else place.edit
    guard = Swapping(place, tool, None, None, random.Random(0))
    errand = Errand(Turn(MemoryJournal()), guard, Performer(), Tracer(), Metrics())
    assert "Wrote" in await errand.run(tool, "c", ARGUMENTS[name])
    assert (place.folder / NAME).read_text().startswith("Done")
