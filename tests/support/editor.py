"""An editor, as far as the language server can tell: JSON-RPC over the pipes of `python -I -m hearth_lsp`.

    async with editor(home) as one:
        one.open("file:///w/a.py", "def add(")
        items = await one.inline("file:///w/a.py", 0, 8)

`play` does the same for somebody who wants to show it: a transcript of one session.
"""

import asyncio
import itertools
import json
import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hearth_shared.paths import Home

LIMIT_S = 60.0
SERVER = (sys.executable, "-I", "-m", "hearth_lsp")
GHOSTS: Mapping[str, Any] = {
    "textDocument": {
        "inlineCompletion": {},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}, "disabledSupport": True},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
    },
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}, "codeLens": {"refreshSupport": True}},
}
Json = dict[str, Any]
Answer = Callable[[Any], Any]


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, error: Json) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.message: str = error["message"]


@dataclass
class Editor:
    """One session. `said` holds every notification; `asked` every request of the server, answered by `answers`."""

    process: asyncio.subprocess.Process
    said: list[Json] = field(default_factory=list[Json])
    asked: list[Json] = field(default_factory=list[Json])
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    stray: list[Json] = field(default_factory=list[Json])
    _waiting: "dict[int, asyncio.Future[Any]]" = field(default_factory=dict[int, "asyncio.Future[Any]"])
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)
    _reading: "asyncio.Task[None] | None" = None

    # -- what an editor does

    async def begin(self, capabilities: Any = GHOSTS, options: Any = None, folder: str | None = None) -> Json:
        """`initialize` and `initialized`; the server's answer."""
        params = {
            "processId": os.getpid(),
            "rootUri": folder,
            "capabilities": capabilities,
            "initializationOptions": options,
            "workspaceFolders": [{"uri": folder, "name": "w"}] if folder else None,
        }
        answer = await self.request("initialize", params)
        self.notify("initialized", {})
        return answer

    def open(self, uri: str, text: str, language: str = "python", version: int = 1) -> None:
        """Show a file."""
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, version: int, *changes: Json) -> None:
        """Type."""
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})

    async def inline(self, uri: str, line: int, character: int, *, asked: bool = True, **context: Any) -> list[Json]:
        """Ghost texts at a position."""
        params = at(uri, line, character) | {"context": {"triggerKind": 1 if asked else 2, **context}}
        answer: Json = await self.request("textDocument/inlineCompletion", params)
        return answer["items"]

    async def command(self, name: str, *arguments: Any, **others: Any) -> Any:
        """Run one."""
        params = {"command": name, "arguments": list(arguments), **others}
        return await self.request("workspace/executeCommand", params)

    async def actions(self, uri: str, range_: Json, diagnostics: Sequence[Json] = (), **context: Any) -> list[Json]:
        """What can be done here."""
        about = {"diagnostics": list(diagnostics), **context}
        params = {"textDocument": {"uri": uri}, "range": range_, "context": about}
        return await self.request("textDocument/codeAction", params)

    async def lenses(self, uri: str) -> list[Json]:
        """What stands above lines of a file."""
        return await self.request("textDocument/codeLens", {"textDocument": {"uri": uri}})

    async def hover(self, uri: str, line: int, character: int) -> str:
        """What is shown about the word here."""
        answer: Json | None = await self.request("textDocument/hover", at(uri, line, character))
        return answer["contents"]["value"] if answer else ""

    async def leave(self) -> int:
        """Shut down and exit; the server's exit status."""
        await self.request("shutdown", None)
        self.notify("exit", None)
        return await asyncio.wait_for(self.process.wait(), LIMIT_S)

    # -- what goes over the pipe

    async def request(self, method: str, params: Any) -> Any:
        """Its result. Raises Refused."""
        return await self.answer_to(self.ask(method, params))

    def ask(self, method: str, params: Any) -> int:
        """Send a request without waiting; its id."""
        identifier = next(self._ids)
        self._waiting[identifier] = asyncio.get_running_loop().create_future()
        self.send({"jsonrpc": "2.0", "id": identifier, "method": method, "params": params})
        return identifier

    async def answer_to(self, identifier: int) -> Any:
        """The result of a request that was sent."""
        return await asyncio.wait_for(self._waiting[identifier], LIMIT_S)

    def cancel(self, identifier: int) -> None:
        """The answer is not wanted any more."""
        self.notify("$/cancelRequest", {"id": identifier})

    def notify(self, method: str, params: Any) -> None:
        """Tell the server."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def send(self, message: Any) -> None:
        """Anything that is JSON."""
        self.send_bytes(json.dumps(message).encode())

    def send_bytes(self, body: bytes) -> None:
        """Anything at all, in a frame."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def told(self, method: str, holds: Callable[[Any], object] = lambda _: True, *, since: int = 0) -> Any:
        """The parameters of the first notification of this method for which `holds`, from the `since`th one on."""
        return await self._first(self.said, method, holds, since)

    async def was_asked(self, method: str, holds: Callable[[Any], object] = lambda _: True) -> Any:
        """The same for a request of the server."""
        return await self._first(self.asked, method, holds, 0)

    async def was_asked_times(self, method: str, times: int) -> None:
        """Once the server has made that many such requests."""
        async with asyncio.timeout(LIMIT_S), self._more:
            await self._more.wait_for(lambda: sum(one["method"] == method for one in self.asked) >= times)

    async def state(self, *states: str) -> Json:
        """The status, once it is one of these."""
        return await self.told("hearth/didChangeStatus", lambda status: status["state"] in states)

    async def _first(self, heard: list[Json], method: str, holds: Callable[[Any], object], since: int) -> Any:
        def found() -> list[Any]:
            said = [one.get("params") for one in heard[since:] if one["method"] == method]
            return [params for params in said if holds(params)]

        async with asyncio.timeout(LIMIT_S), self._more:
            await self._more.wait_for(found)
        return found()[0]

    async def read(self) -> None:
        """Take everything that the server says, until it says no more."""
        assert self.process.stdout is not None
        try:
            while True:
                head = await self.process.stdout.readuntil(b"\r\n\r\n")
                length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-L"))
                await self._take(json.loads(await self.process.stdout.readexactly(length)))
        except asyncio.IncompleteReadError:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError("the server has ended"))
                    future.exception()  # not everybody still waits

    async def _take(self, message: Json) -> None:
        async with self._more:
            if "method" not in message:
                self._settle(message)
            elif "id" in message:
                self.asked.append(message)
                answer = self.answers.get(message["method"], lambda _: None)(message.get("params"))
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": answer})
            else:
                self.said.append(message)
            self._more.notify_all()

    def _settle(self, message: Json) -> None:
        future = self._waiting.get(message["id"]) if isinstance(message["id"], int) else None
        if future is None or future.done():
            self.stray.append(message)
        elif "error" in message:
            future.set_exception(Refused(message["error"]))
            future.exception()  # a test may never ask for it
        else:
            future.set_result(message["result"])


def at(uri: str, line: int, character: int) -> Json:
    """A position in a file."""
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}


def span(line: int, character: int, end_line: int, end_character: int) -> Json:
    """A range."""
    return {"start": {"line": line, "character": character}, "end": {"line": end_line, "character": end_character}}


@asynccontextmanager
async def started(home: Home, *, environ: Mapping[str, str] | None = None) -> AsyncGenerator[Editor]:
    """A server that was told nothing yet; it is gone when this is left."""
    process = await asyncio.create_subprocess_exec(
        *SERVER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "HEARTH_HOME": str(home.root), **(environ or {})},
        limit=64 * 1024 * 1024,
    )
    one = Editor(process)
    one.answers["workspace/applyEdit"] = lambda _: {"applied": True}
    one.answers["window/showDocument"] = lambda _: {"success": True}
    reading = asyncio.create_task(one.read())
    try:
        yield one
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), LIMIT_S)
        finally:
            if process.returncode is None:
                process.kill()
            with suppress(asyncio.CancelledError):
                await reading


@asynccontextmanager
async def editor(
    home: Home, capabilities: Any = GHOSTS, *, options: Any = None, folder: str | None = None
) -> AsyncGenerator[Editor]:
    """A session that has begun."""
    async with started(home) as one:
        await one.begin(capabilities, options, folder)
        yield one


@dataclass(frozen=True)
class Transcript:
    """What happened in one session, in lines a person can read, and what came of it."""

    lines: tuple[str, ...]
    status: Json
    completion: str
    answer: Json
    hover: str


def play(home: Home, path: Path, question: str, *, hover: tuple[int, int] = (0, 0)) -> Transcript:
    """One session on the home's backend: opens the file, completes at its end, asks, and looks at a word."""
    return asyncio.run(_played(home, path, question, hover))


async def _played(home: Home, path: Path, question: str, hover: tuple[int, int]) -> Transcript:
    text, uri = path.read_text("utf-8"), path.absolute().as_uri()
    lines = text.split("\n")
    async with editor(home, options={"answers": "client"}, folder=path.parent.absolute().as_uri()) as one:
        status = await one.told("hearth/didChangeStatus", lambda said: said["state"] not in ("starting", "thinking"))
        one.open(uri, text)
        ghosts = await one.inline(uri, len(lines) - 1, len(lines[-1].encode("utf-16-le")) // 2)
        completion = ghosts[0]["insertText"] if ghosts else ""
        answer = await one.command("hearth.ask", {"text": question, "token": "proof"})
        shown = await one.hover(uri, *hover)
        status_code = await one.leave()
    told = [
        f"status: {status['message']}",
        f"completion at the end of {path.name}: {completion!r}" if completion else "completion: nothing",
        f"asked: {question}",
        *(f"  {line}" for line in str(answer.get("text", answer)).split("\n")),
        *(f"  [{source['n']}] {source['title']}: {source['quote']}" for source in answer.get("sources", [])),
        f"hover: {shown}" if shown else "hover: nothing",
        f"the server ended with status {status_code}",
    ]
    return Transcript(tuple(told), status, completion, answer, shown)
