"""Granted folders of tests, with what a tool needs around it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hearth_backend.storage.database import Database
from hearth_backend.storage.migrations import hearth
from hearth_backend.tools.files import EditFile, ListFolder, ReadFile, SearchFiles, WriteFile
from hearth_backend.tools.roots import Roots
from hearth_backend.tools.tool import AnyTool, ToolContext
from hearth_backend.tools.undo import UndoLog

CONTEXT = ToolContext("run_1", "person", frozenset({"main"}), False, "run_1:0")


@dataclass
class Place:
    """A granted folder, and one beside it that is not."""

    folder: Path
    outside: Path
    closed: Path
    roots: Roots
    undo: UndoLog

    @property
    def read(self) -> ReadFile:
        return ReadFile(self.roots)

    @property
    def list(self) -> ListFolder:
        return ListFolder(self.roots)

    @property
    def search(self) -> SearchFiles:
        return SearchFiles(self.roots)

    @property
    def write(self) -> WriteFile:
        return WriteFile(self.roots, self.undo)

    @property
    def edit(self) -> EditFile:
        return EditFile(self.roots, self.undo)

    def tree(self) -> dict[str, tuple[int, bytes]]:
        """Everything in the folder: mode, and bytes or the link's target."""
        return tree(self.folder)

    async def done(self, tool: AnyTool, key: str = "run_1:0", **arguments: Any) -> str:
        """Looked at, and done to what was seen."""
        read = tool.read(arguments)
        context = replace(CONTEXT, key=key)
        seen = replace(context, plan=await tool.plan(read, context))
        return (await tool.call(read, seen)).text


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything in a folder."""
    found: dict[str, tuple[int, bytes]] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = (0, str(path.readlink()).encode())
        else:
            found[name] = (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
    return found


@asynccontextmanager
async def granted(tmp_path: Path) -> AsyncGenerator[Place]:
    """A folder with a few files, and traps."""
    folder, outside, closed = tmp_path / "granted", tmp_path / "outside", tmp_path / "granted" / "hearth"
    for made in (folder / "sub", outside, closed / "run"):
        made.mkdir(parents=True)
    (folder / "a.txt").write_text("one\ntwo\nthree\n")
    (folder / "sub" / "b.md").write_text("a heron\n")
    (outside / "secret").write_text("TOP SECRET")
    (closed / "run" / "cli.key").write_text("KEY")
    (closed / "policy.toml").write_text("")
    (folder / "out").symlink_to(outside / "secret")
    (folder / "up").symlink_to("..")
    (folder / "good").symlink_to("a.txt")
    (folder / "hard").hardlink_to(outside / "secret")
    database = Database(tmp_path / "undo.db", hearth.MIGRATIONS)
    try:
        shut = [str(closed), str(closed / "run")]
        roots = Roots(str(folder), closed=shut)
        yield Place(folder, outside, closed, roots, UndoLog(database, closed=shut))
    finally:
        await database.close()
