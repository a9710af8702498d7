"""The tools that run commands in the sandbox: shell and Python."""

import asyncio
import os
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import Field

from hearth_backend.tools import snapshot
from hearth_backend.tools.beneath import NOTHING, Beneath
from hearth_backend.tools.roots import Place, Roots
from hearth_backend.tools.sandbox.battery import PYTHON
from hearth_backend.tools.sandbox.command import Room
from hearth_backend.tools.sandbox.process import Ran
from hearth_backend.tools.sandbox.sandbox import Sandbox
from hearth_backend.tools.snapshot import Snapshot
from hearth_backend.tools.tool import A, Arguments, Effect, Limits, Plan, Tool, ToolContext, ToolResult
from hearth_backend.tools.undo import UndoLog
from hearth_backend.tools.writing import changed
from hearth_shared.display import display
from hearth_shared.errors import HearthError, ToolFailed

_SECONDS: Final = 120
_NAMED: Final = 50
_SHOWN: Final = 40
# Configuration that programs outside the sandbox obey: a command may read it there, and not write it.
_FIXED: Final = (
    *(".git/hooks", ".git/config", ".vscode", ".cursor", ".idea", ".zed", ".mcp.json", ".envrc", ".github"),
    *("AGENTS.md", "CLAUDE.md", ".devcontainer", ".husky", ".pre-commit-config.yaml"),
)


class RunShell(Arguments):
    """A command line."""

    command: str = Field(min_length=1, max_length=20_000, description="The command line, for sh.")
    folder: str = Field(
        default=".", max_length=4096, description="The granted folder to run it in; it may write there."
    )


class RunPython(Arguments):
    """A program."""

    code: str = Field(min_length=1, max_length=100_000, description="The program, for Python 3, without packages.")
    folder: str = Field(
        default=".", max_length=4096, description="The granted folder to run it in; it may write there."
    )


class _Runs(Tool[A]):
    """Runs something in a granted folder, and keeps how to take back what it did there."""

    effect: Effect = "execute"
    limits = Limits(timeout_s=_SECONDS + 60, per_minute=30)

    def __init__(self, roots: Roots, sandbox: Sandbox, undo: UndoLog) -> None:
        self._roots = roots
        self._sandbox = sandbox
        self._undo = undo

    def line(self, arguments: A) -> tuple[Sequence[str], bytes]:
        """The program with its arguments, and what it reads."""
        raise ToolFailed("Nothing is to be run.")

    def words(self, arguments: A) -> Sequence[str]:
        """Words of it that may name files."""
        return ()

    async def plan(self, arguments: A, context: ToolContext) -> Plan:
        await self._sandbox.check()
        return await asyncio.to_thread(self._plan, arguments)

    async def call(self, arguments: A, context: ToolContext) -> ToolResult:
        await self._sandbox.check()
        place = self._roots.find(_folder_of(arguments))
        before, room = await asyncio.to_thread(self._ready, place, context.plan)
        argv, given = self.line(arguments)
        began = time.monotonic()
        try:
            ran = await self._sandbox.run(room, argv, given, seconds=_SECONDS)
        finally:
            changes = await asyncio.shield(self._keep(context, place, before))
        return ToolResult(_told(ran, changes, time.monotonic() - began), trusted=False, private=True)

    def _plan(self, arguments: A) -> Plan:
        place = self._roots.find(_folder_of(arguments))
        with self._roots.open(place) as folder:
            identity = _identity(folder, place)
            named = _named(folder, place, self.words(arguments))
            whole = snapshot.taken(folder, place.name)
        undo = (
            "Puts every file in the folder back as it was; refuses when one was changed since."
            if whole is not None
            else "Cannot be undone: the folder is too large to be kept."
        )
        text = {name: str(value) for name, value in arguments.model_dump(mode="json").items() if name != "folder"}
        return Plan(
            subject={**text, "folder": place.path},
            reach=(f"{place.path} (reads and writes)", "the system's programs (reads)", "no network"),
            undo=undo,
            paths=(place.path,),
            state={"folder": identity, "named": named},
        )

    def _ready(self, place: Place, plan: Plan) -> tuple[Snapshot | None, Room]:
        with self._roots.open(place) as folder:
            if plan.state.get("folder") != _identity(folder, place):
                raise changed(place.path)
            return snapshot.taken(folder, place.name), _room(place, self._roots.closed)

    async def _keep(self, context: ToolContext, place: Place, before: Snapshot | None) -> list[str] | None:
        """How to take it back; the paths that changed, None where that is not known."""
        if before is None:
            return None
        after = await asyncio.to_thread(self._after, place)
        if after is None:
            return None
        found = snapshot.differences(before, after)
        if found:
            await self._undo.prepare(context.key, context.run_id, self.name, place.root, found)
            await self._undo.done(context.key)
        return [change.path for change in found if change.after.kind != "folder"]

    def _after(self, place: Place) -> Snapshot | None:
        with self._roots.open(place) as folder:
            return snapshot.taken(folder, place.name)


class Shell(_Runs[RunShell]):
    """A command line."""

    name = "shell"
    description = (
        "Run a command line in a granted folder, in a sandbox: no network, no other folder, two minutes. "
        "The person is asked first."
    )
    takes = RunShell

    def line(self, arguments: RunShell) -> tuple[Sequence[str], bytes]:
        return ["/bin/sh", "-c", arguments.command], b""

    def words(self, arguments: RunShell) -> Sequence[str]:
        try:
            return shlex.split(arguments.command, comments=False)
        except ValueError:
            return arguments.command.split()


class Python(_Runs[RunPython]):
    """A program in Python."""

    name = "python"
    description = (
        "Run a Python program in a granted folder, in a sandbox: no network, no packages, two minutes. "
        "The person is asked first."
    )
    takes = RunPython

    def line(self, arguments: RunPython) -> tuple[Sequence[str], bytes]:
        return [PYTHON, "-I", "-"], arguments.code.encode()


def _room(place: Place, closed: Sequence[str]) -> Room:
    inside = f"{place.path.rstrip('/')}/"
    fixed = [inside + name for name in _FIXED if os.path.lexists(inside + name) and not os.path.islink(inside + name)]
    masked = [path for path in closed if path.startswith(inside)]
    outermost = [path for path in masked if not any(path.startswith(f"{other}/") for other in masked)]
    return Room(place.path, fixed, outermost)


def _identity(folder: Beneath, place: Place) -> Mapping[str, Any]:
    with folder.opened(place.name, os.O_RDONLY | os.O_DIRECTORY, follow=False) as fd:
        found = os.fstat(fd)
    return {"path": place.path, "device": found.st_dev, "inode": found.st_ino}


def _named(folder: Beneath, place: Place, words: Sequence[str]) -> Mapping[str, Any]:
    """The state of the files that a command names: what it would read or run is part of what is decided over."""
    found: dict[str, Any] = {}
    for word in words[:_NAMED]:
        name = os.path.normpath(os.path.join(place.name, word))
        if word.startswith(("-", "/")) or name.startswith(".."):
            continue
        try:
            state = folder.state(name)
        except HearthError:
            continue
        if state != NOTHING and state.kind != "folder":
            found[name] = state.described()
    return found


def _folder_of(arguments: Arguments) -> str:
    folder: str = getattr(arguments, "folder", ".")
    return folder


def _told(ran: Ran, changes: Sequence[str] | None, seconds: float) -> str:
    output = ran.output.decode("utf-8", "replace").rstrip()
    ended = ran.problem or f"exit status {ran.status}, after {seconds:.1f} s"
    lines = [output] if output else []
    lines.append(f"[{ended}]")
    if changes:
        shown = ", ".join(display(path, keep="") for path in changes[:_SHOWN])
        more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
        lines.append(f"[changed: {shown}{more}]")
    return "\n".join(lines)
