"""The editor as the person sees it: messages, questions, documents, edits, progress. Whatever it cannot do is left out,
and an editor that refuses never breaks what was being done."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from lsprotocol import types as T
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from hearth_lsp.abilities import Abilities
from hearth_lsp.document import Document, Span
from hearth_lsp.editing import Edit
from hearth_lsp.protocol import Order
from hearth_lsp.texts import file_name

_KEPT = 20
_LONGEST_MESSAGE = 600
_TITLE = "Hearth"


class Report(Protocol):
    """Says what is being done now."""

    def __call__(self, message: str) -> None: ...


class Window:
    """One editor's. `answers` is the folder where answers are written for editors that show documents."""

    def __init__(self, server: LanguageServer, abilities: Callable[[], Abilities], answers: Path) -> None:
        self._server = server
        self._abilities = abilities
        self._answers = answers

    def say(self, message: str, kind: T.MessageType = T.MessageType.Info) -> None:
        """One message, seen at once."""
        self._server.window_show_message(T.ShowMessageParams(type=kind, message=message))

    def tell(self, method: str, params: dict[str, Any]) -> None:
        """A notification of ours; editors without our extension pass over it."""
        self._server.protocol.notify(method, params)

    def refresh_lenses(self) -> None:
        """Have lenses asked for again; an editor that cannot be told asks by itself, as the person types or looks."""
        if self._abilities().lens_refresh:
            self._server.workspace_code_lens_refresh(None)

    async def choose(self, message: str, *choices: str) -> str:
        """Which one the person picked; empty when none."""
        actions = [T.MessageActionItem(title=choice) for choice in choices]
        params = T.ShowMessageRequestParams(type=T.MessageType.Info, message=message, actions=actions)
        with suppress(JsonRpcException):
            picked = await self._server.window_show_message_request_async(params)
            return picked.title if picked is not None else ""
        return ""

    async def show_page(self, title: str, page: str) -> None:
        """A text of ours as a document; where the editor opens none, as a message that says where it is."""
        path = await asyncio.to_thread(self._write, title, page)
        if self._abilities().show_document and await self._open(path.as_uri()):
            return
        short = page if len(page) <= _LONGEST_MESSAGE else f"{page[:_LONGEST_MESSAGE].rsplit(maxsplit=1)[0]} …"
        self.say(f"{short.strip()}\n\nAll of it: {path}")

    async def apply(self, document: Document, edit: Edit, label: str) -> bool:
        """Whether the editor took the edit."""
        if not self._abilities().apply_edit:
            return False
        params = T.ApplyWorkspaceEditParams(label=label, edit=self._workspace_edit(document, edit))
        with suppress(JsonRpcException):
            return (await self._server.workspace_apply_edit_async(params)).applied
        return False

    @asynccontextmanager
    async def progress(self, order: Order, title: str) -> AsyncGenerator[Report]:
        """Shows that something goes on, while inside; the person can stop it there, which cancels what is inside."""
        token = order.token
        if token is None and self._abilities().progress:
            token = await self._token()
        if token is None:
            yield lambda message: None
            return
        watched: Any = self._server.work_done_progress
        watched.begin(token, T.WorkDoneProgressBegin(title=f"{_TITLE}: {title}", cancellable=True))
        tokens: dict[str | int, Future[None]] = watched.tokens
        tokens[token].add_done_callback(_stopping(asyncio.current_task()))
        try:
            yield lambda message: watched.report(token, T.WorkDoneProgressReport(message=message))
        finally:
            tokens.pop(token, None)
            watched.end(token, T.WorkDoneProgressEnd())

    async def _token(self) -> str | None:
        token = f"hearth-{os.urandom(8).hex()}"
        with suppress(JsonRpcException):
            params = T.WorkDoneProgressCreateParams(token=token)
            await self._server.window_work_done_progress_create_async(params)
            return token
        return None

    async def _open(self, uri: str) -> bool:
        with suppress(JsonRpcException):
            params = T.ShowDocumentParams(uri=uri, take_focus=True)
            return (await self._server.window_show_document_async(params)).success
        return False

    def _workspace_edit(self, document: Document, edit: Edit) -> T.WorkspaceEdit:
        change = T.TextEdit(range=range_of(document, edit.span), new_text=edit.text)
        if not self._abilities().versioned_edits:
            return T.WorkspaceEdit(changes={document.uri: [change]})
        which = T.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
        return T.WorkspaceEdit(document_changes=[T.TextDocumentEdit(text_document=which, edits=[change])])

    def _write(self, title: str, page: str) -> Path:
        self._answers.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._answers / file_name(title, datetime.now())
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(page)
        for old in _oldest(sorted(self._answers.glob("*.md"))):
            old.unlink(missing_ok=True)
        return path


def _stopping(task: "asyncio.Task[Any] | None") -> "Callable[[Future[None]], None]":
    """Cancels a task once the person has stopped the progress that is shown for it."""

    def stop(shown: "Future[None]") -> None:
        if task is not None and shown.cancelled():
            task.cancel()

    return stop


def range_of(document: Document, span: Span) -> T.Range:
    """A span in the editor's own counting."""
    start, end = span
    return T.Range(
        start=T.Position(line=start.line, character=document.character(start)),
        end=T.Position(line=end.line, character=document.character(end)),
    )


def _oldest(paths: Sequence[Path]) -> Sequence[Path]:
    return paths[:-_KEPT]
