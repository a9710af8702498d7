"""The tools for files in granted folders: read, list, search, edit by patch, write."""

import asyncio
import fnmatch
import glob
import os
import re
import stat
from collections.abc import Generator, Mapping
from typing import Final, Literal

from pydantic import Field

from hearth_backend.tools import patch, writing
from hearth_backend.tools.beneath import NOTHING, Beneath, State, translated
from hearth_backend.tools.changes import Change, Standing, standing
from hearth_backend.tools.protected import why_protected
from hearth_backend.tools.roots import Place, Roots
from hearth_backend.tools.tool import A, Arguments, Effect, Limits, Plan, Tool, ToolContext, ToolResult
from hearth_backend.tools.undo import UndoLog
from hearth_shared.display import display
from hearth_shared.errors import BadRequest, HearthError, NotFound

_LISTED: Final = 500
_FOUND: Final = 200
_LOOKED_AT: Final = 20_000
_SEARCHED: Final = 2 * 1024 * 1024
_LINE: Final = 300
_SKIPPED: Final = frozenset({".git", "node_modules", "__pycache__", ".venv", ".hg", ".svn"})


class PathOnly(Arguments):
    """A file or folder."""

    path: str = Field(default=".", max_length=4096, description="Path in a granted folder, absolute or relative.")


class ReadPart(PathOnly):
    """A file, or some of its lines."""

    path: str = Field(max_length=4096, description="The file, in a granted folder.")
    first_line: int = Field(default=1, ge=1, description="The first line to read, from 1.")
    lines: int = Field(default=2000, ge=1, le=20_000, description="How many lines.")


class SearchFor(PathOnly):
    """A text in files."""

    text: str = Field(min_length=1, max_length=1000, description="The text to look for, as it is.")
    names: str = Field(default="*", max_length=200, description="Which files, as a pattern such as *.md.")
    ignore_case: bool = Field(default=False, description="Whether capitals count as small letters.")


class WriteAll(Arguments):
    """A file as a whole."""

    path: str = Field(min_length=1, max_length=4096, description="The file, in a granted folder; new or not.")
    text: str = Field(description="All that it shall hold.")


class EditPatch(Arguments):
    """A change to a file."""

    path: str = Field(min_length=1, max_length=4096, description="The file, in a granted folder.")
    patch: str = Field(min_length=1, description="A unified diff of this file, with a few unchanged lines around.")


class _Reads(Tool[A]):
    """Looks into granted folders."""

    effect: Effect = "read"
    limits = Limits(cache_s=600)

    def __init__(self, roots: Roots) -> None:
        self._roots = roots

    async def plan(self, arguments: A, context: ToolContext) -> Plan:
        place = self._roots.find(_path_of(arguments))
        return Plan(subject={"path": place.path}, reach=(place.path,), paths=(place.path,))

    def pattern(self, plan: Plan) -> Mapping[str, str]:
        return _folder_pattern(plan)


class ReadFile(_Reads[ReadPart]):
    """The text of one file."""

    name = "read_file"
    description = "Read a text file in a folder that the person granted."
    takes = ReadPart

    async def call(self, arguments: ReadPart, context: ToolContext) -> ToolResult:
        return await asyncio.to_thread(self._read, arguments)

    async def stamp(self, arguments: ReadPart, context: ToolContext) -> str:
        """The file's identity, size and time: what was read is good while they are the same."""
        return await asyncio.to_thread(self._stamp, self._roots.find(arguments.path))

    def _stamp(self, place: Place) -> str:
        with self._roots.open(place) as folder, folder.opened(place.name) as fd:
            found = os.fstat(fd)
            return f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}"

    def _read(self, arguments: ReadPart) -> ToolResult:
        place = self._roots.find(arguments.path)
        with self._roots.open(place) as folder:
            text = _text(folder.read(place.name), place.path)
        lines = text.split("\n")
        chosen = lines[arguments.first_line - 1 : arguments.first_line - 1 + arguments.lines]
        left = len(lines) - (arguments.first_line - 1) - len(chosen)
        more = f"\n[{left} more lines; read on from line {arguments.first_line + len(chosen)}]" if left > 0 else ""
        return ToolResult("\n".join(chosen) + more, private=True)


class ListFolder(_Reads[PathOnly]):
    """The names in one folder."""

    name = "list_folder"
    description = "List a folder that the person granted; without a path, the granted folders."
    takes = PathOnly
    limits = Limits()

    async def call(self, arguments: PathOnly, context: ToolContext) -> ToolResult:
        return await asyncio.to_thread(self._list, arguments)

    def _list(self, arguments: PathOnly) -> ToolResult:
        granted = self._roots.granted
        if arguments.path == "." and len(granted) > 1:
            return ToolResult("Granted folders:\n" + "\n".join(f"{root}/" for root in granted), private=True)
        place = self._roots.find(arguments.path)
        with (
            self._roots.open(place) as folder,
            folder.opened(place.name, os.O_RDONLY | os.O_DIRECTORY) as fd,
            os.scandir(fd) as entries,
        ):
            shown = sorted(_listed(entry) for entry in entries)
        more = f"\n[{len(shown) - _LISTED} more]" if len(shown) > _LISTED else ""
        text = "\n".join(shown[:_LISTED]) + more
        return ToolResult(f"{place.path}:\n{text}" if text else f"{place.path} is empty.", private=True)


class SearchFiles(_Reads[SearchFor]):
    """Lines with a text, over a folder."""

    name = "search_files"
    description = "Search text files under a granted folder for a text; gives path, line number and line."
    takes = SearchFor
    limits = Limits()

    async def call(self, arguments: SearchFor, context: ToolContext) -> ToolResult:
        return await asyncio.to_thread(self._search, arguments)

    def _search(self, arguments: SearchFor) -> ToolResult:
        place = self._roots.find(arguments.path)
        wanted = re.compile(re.escape(arguments.text), re.IGNORECASE if arguments.ignore_case else 0)
        found: list[str] = []
        with self._roots.open(place) as folder:
            for number, name in enumerate(_walk(folder, place.name, arguments.names)):
                if number >= _LOOKED_AT:
                    found.append(f"[stopped after {_LOOKED_AT} files]")
                    break
                found += _matches(folder, name, wanted, _FOUND - len(found))
                if len(found) >= _FOUND:
                    found.append(f"[stopped after {_FOUND} lines]")
                    break
        return ToolResult("\n".join(found) or "Nothing was found.", private=True)


class _Changes(Tool[A]):
    """Changes one file in a granted folder, and keeps how to take it back."""

    effect: Effect = "write"

    def __init__(self, roots: Roots, undo: UndoLog) -> None:
        self._roots = roots
        self._undo = undo

    def content(self, arguments: A, before: str | None) -> str:
        """What the file shall hold; `before` is None when there is none."""
        raise BadRequest("Nothing is to be written.")

    def pattern(self, plan: Plan) -> Mapping[str, str]:
        return _folder_pattern(plan)

    async def plan(self, arguments: A, context: ToolContext) -> Plan:
        return await asyncio.to_thread(self._plan, arguments)

    async def call(self, arguments: A, context: ToolContext) -> ToolResult:
        place = self._roots.find(_path_of(arguments))
        seen = _seen(context.plan)
        changes, content = await asyncio.to_thread(self._prepare, arguments, place, seen)
        await self._undo.prepare(context.key, context.run_id, self.name, place.root, changes)
        await asyncio.to_thread(self._write, place, content, seen)
        await self._undo.done(context.key)
        return ToolResult(f"Wrote {place.path} ({len(content)} bytes).")

    async def look_back(self, arguments: A, context: ToolContext) -> Literal["done", "not done", "unknown"]:
        return await self._undo.look_back(context.key)

    def _plan(self, arguments: A) -> Plan:
        place = self._roots.find(_path_of(arguments))
        with self._roots.open(place) as folder:
            before, state, missing = _look(folder, place)
            after = self.content(arguments, before)
            identity = folder.identity()
        parts = place.name.split("/")
        is_new = "Deletes the new file." if state == NOTHING else "Puts the file back as it is now."
        return Plan(
            subject={"path": place.path},
            reach=(place.path,),
            undo=f"{is_new} `hearth tasks undo` refuses when the file was changed since.",
            preview=_preview(parts[-1], before, after),
            paths=(place.path,),
            state={"root": identity, "name": place.name, "file": state.described(), "size": state.size}
            | {"folders": missing},
            insists=why_protected(parts),
        )

    def _prepare(self, arguments: A, place: Place, seen: State) -> tuple[list[Change], bytes]:
        with self._roots.open(place) as folder:
            before, state, missing = _look(folder, place)
            if state != seen:
                raise writing.changed(place.path)
            text = self.content(arguments, before)
            content = text.encode()
            was = standing(folder, place.name)
        made = [Change(name, Standing(), State("folder")) for name in missing]
        after = State("file", mode=was.mode, sha256=Standing("file", content=content).sha256)
        return [*made, Change(place.name, was, after)], content

    def _write(self, place: Place, content: bytes, seen: State) -> None:
        with self._roots.open(place) as folder:
            writing.write(folder, place.name, content, seen)


class WriteFile(_Changes[WriteAll]):
    """Writes a whole file."""

    name = "write_file"
    description = "Write a text file in a granted folder, as a whole. The person is asked first."
    takes = WriteAll

    def content(self, arguments: WriteAll, before: str | None) -> str:
        return arguments.text


class EditFile(_Changes[EditPatch]):
    """Changes some lines of a file."""

    name = "edit_file"
    description = "Change a text file in a granted folder by a unified diff. The person is asked first."
    takes = EditPatch

    def content(self, arguments: EditPatch, before: str | None) -> str:
        if before is None:
            raise NotFound("There is no such file to edit.", "Write it with write_file.")
        if "\r\n" in before and "\r" not in arguments.patch:
            return patch.patched(before.replace("\r\n", "\n"), arguments.patch).replace("\n", "\r\n")
        return patch.patched(before, arguments.patch)


def _look(folder: Beneath, place: Place) -> tuple[str | None, State, list[str]]:
    """The text there, what stands there, and which folders on the way are missing."""
    state = folder.state(place.name)
    if state == NOTHING:
        return None, state, _missing(folder, place.name)
    with folder.opened(place.name, os.O_RDWR):
        pass  # a link, a hard link, a folder, or what may not be written is refused here
    return _text(folder.read(place.name, follow=False), place.path), state, []


def _missing(folder: Beneath, name: str) -> list[str]:
    parents = os.path.normpath(name).split("/")[:-1]
    on_the_way = ["/".join(parents[:count]) for count in range(1, len(parents) + 1)]
    return [path for path in on_the_way if folder.state(path) == NOTHING]


def _seen(plan: Plan) -> State:
    """What was decided over."""
    described = plan.state.get("file")
    if not isinstance(described, Mapping):
        raise writing.changed("The file")
    known: Mapping[str, object] = described  # pyright: ignore[reportUnknownVariableType]
    return State(**{**known, "size": plan.state["size"]})  # pyright: ignore[reportArgumentType]


def _preview(name: str, before: str | None, after: str) -> str:
    if before is None:
        return "\n".join(f"+{line}" for line in after.split("\n"))
    return patch.difference(name, before, after) or "(no line changes)"


def _text(content: bytes, path: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"{display(path, keep='')} is no text.", "Tools read and write UTF-8 text only.") from error


def _path_of(arguments: Arguments) -> str:
    path: str = getattr(arguments, "path", "")
    return path


def _folder_pattern(plan: Plan) -> Mapping[str, str]:
    folder = os.path.dirname(plan.subject.get("path", ""))
    return {"path": f"{glob.escape(folder.rstrip('/'))}/*"}


def _listed(entry: "os.DirEntry[str]") -> str:
    try:
        if entry.is_symlink():
            return f"{entry.name} (link)"
        if entry.is_dir(follow_symlinks=False):
            return f"{entry.name}/"
        return f"{entry.name} ({entry.stat(follow_symlinks=False).st_size} bytes)"
    except OSError:
        return entry.name


def _walk(folder: Beneath, name: str, names: str) -> Generator[str]:
    """Plain files under a folder, or the file itself; links are not followed."""
    waiting = [os.path.normpath(name)]
    while waiting:
        here = waiting.pop()
        try:
            with folder.opened(here, os.O_RDONLY | os.O_NONBLOCK, follow=False) as fd:
                if stat.S_ISREG(os.fstat(fd).st_mode):
                    yield here
                    continue
                inner = sorted(os.listdir(fd), reverse=True)
                kinds = {entry: _kind(fd, entry) for entry in inner}
        except HearthError:
            if here == os.path.normpath(name):
                raise
            continue
        except OSError as error:
            raise translated(error, here) from error
        for entry in inner:
            path = os.path.normpath(os.path.join(here, entry))
            is_wanted = fnmatch.fnmatch(entry, names) if kinds[entry] == "file" else entry not in _SKIPPED
            if kinds[entry] and is_wanted:
                waiting.append(path)


def _kind(fd: int, entry: str) -> str:
    try:
        mode = os.stat(entry, dir_fd=fd, follow_symlinks=False).st_mode
    except OSError:
        return ""
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else ""


def _matches(folder: Beneath, name: str, wanted: re.Pattern[str], most: int) -> list[str]:
    try:
        text = folder.read(name, follow=False, limit=_SEARCHED).decode()
    except (HearthError, UnicodeDecodeError):
        return []
    found: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if wanted.search(line):
            found.append(f"{name}:{number}: {line[:_LINE]}")
            if len(found) >= most:
                break
    return found
