"""pygls' protocol, made to fit: answers to whatever is malformed, our own documents, commands that can be cancelled."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any, cast

from cattrs import Converter
from lsprotocol import types as T
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol

from hearth_lsp import abilities
from hearth_lsp.abilities import Abilities
from hearth_lsp.document import Change, Encoding
from hearth_lsp.documents import Documents

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """A command as it came: its arguments, and the token under which its progress is watched."""

    arguments: list[Any] = field(default_factory=list[Any])
    token: str | int | None = None

    @property
    def said(self) -> dict[str, Any]:
        """The argument object; a plain text counts as its `text`."""
        first = self.arguments[0] if self.arguments else None
        if isinstance(first, str):
            return {"text": " ".join(str(one) for one in self.arguments)}
        return cast("dict[str, Any]", first) if isinstance(first, dict) else {}


Command = Callable[[Order], Awaitable[Any]]


class HearthProtocol(LanguageServerProtocol):
    """One editor's side. `leaving` is resolved with the exit status once the editor says `exit`."""

    def __init__(self, server: Any, converter: Converter) -> None:
        self.documents = Documents()
        self.abilities = Abilities()
        self.leaving: asyncio.Future[int] | None = None
        self._begun = False
        super().__init__(server, converter)
        ours: dict[str, Callable[..., Any]] = {
            T.INITIALIZE: self._initialize,
            T.EXIT: self._exit,
            T.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: self._folders,
            T.TEXT_DOCUMENT_DID_OPEN: self._open,
            T.TEXT_DOCUMENT_DID_CHANGE: self._changed,
            T.TEXT_DOCUMENT_DID_CLOSE: self._close,
            T.WORKSPACE_EXECUTE_COMMAND: self._execute,
        }
        manager: Any = self.fm
        for method, handle in ours.items():
            manager.add_builtin_feature(method, handle)

    def receive(self, body: bytes) -> None:
        """One message. Whatever it is, it is answered as the specification says, and the next one can come."""
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            return self._refuse(None, JsonRpcParseError("This is not JSON."))
        if not isinstance(message, dict):
            return self._refuse(None, JsonRpcInvalidRequest("A message must be one JSON object."))
        self._take(cast("dict[str, Any]", message))

    def _take(self, message: dict[str, Any]) -> None:
        identifier, method = message.get("id"), message.get("method")
        asks = isinstance(method, str) and isinstance(identifier, str | int)
        if problem := self._problem(message):
            return self._refuse(identifier, problem) if asks or not isinstance(method, str) else None
        if method is not None and self.get_message_type(method) is None:
            message.setdefault("params", None)  # pygls insists on them where it knows nothing else
        try:
            structured = self.structure_message(message)
        except JsonRpcException:
            log.warning("a message could not be read: %s", method or "an answer")
            return self._refuse(identifier, JsonRpcInvalidParams("Its parameters cannot be read.")) if asks else None
        self.handle_message(structured)

    def _problem(self, message: dict[str, Any]) -> JsonRpcException | None:
        """Why it is not even looked at."""
        method = message.get("method")
        if message.get("jsonrpc") != "2.0" or not (method is None or isinstance(method, str)):
            return JsonRpcInvalidRequest("This is not JSON-RPC 2.0.")
        if method is None and "id" not in message:
            return JsonRpcInvalidRequest("A message needs a method or an id.")
        if method == T.INITIALIZE and self._begun:
            return JsonRpcInvalidRequest("The session has begun already.")
        if not self._begun and method not in (None, T.INITIALIZE, T.EXIT):
            return JsonRpcServerNotInitialized("Say `initialize` first.")
        if self._shutdown and method not in (None, T.EXIT):
            return JsonRpcInvalidRequest("The session is being ended.")
        return None

    def _refuse(self, identifier: Any, error: JsonRpcException) -> None:
        known = identifier if isinstance(identifier, str | int) else None
        said = {"code": error.code, "message": error.message}
        self._send_data({"jsonrpc": "2.0", "id": known, "error": said})  # lsprotocol would leave out an id of null

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message as lsprotocol's types; of `initialize` only the parts that are used."""
        if data.get("method") == T.INITIALIZE and isinstance(data.get("params"), dict):
            params: dict[str, Any] = data["params"]
            self.abilities = abilities.read(params.get("capabilities"))
            kept = abilities.kept(params.get("capabilities"))
            data = {**data, "params": {**params, "capabilities": kept, "clientInfo": None, "trace": None}}
        return super().structure_message(data)

    # -- the session

    def _initialize(self, params: T.InitializeParams) -> Generator[Any, Any, T.InitializeResult]:
        """As pygls does it; then the places of this editor are counted in its own units."""
        result = yield from super().lsp_initialize(params)
        self._begun = True
        encoding = result.capabilities.position_encoding
        self.documents.encoding = cast("Encoding", str(getattr(encoding, "value", encoding)))
        folders = [folder.uri for folder in params.workspace_folders or []]
        self.documents.set_folders(folders or ([params.root_uri] if params.root_uri else []))
        return result

    def _exit(self, *_: Any) -> None:
        """The status says whether the editor said `shutdown` before."""
        if self.leaving is not None and not self.leaving.done():
            self.leaving.set_result(0 if self._shutdown else 1)

    def _folders(self, params: T.DidChangeWorkspaceFoldersParams) -> Generator[Any, Any, None]:
        yield from super().lsp_workspace__did_change_workspace_folders(params)
        self.documents.set_folders(list(self.workspace.folders))

    # -- documents: pygls' own take a whole copy for each keystroke, and count lines as Python does

    def _open(self, params: T.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        language = str(getattr(item.language_id, "value", item.language_id))
        self.documents.open(item.uri, item.text, item.version, language)

    def _changed(self, params: T.DidChangeTextDocumentParams) -> None:
        changes = [_change(change) for change in params.content_changes]
        self.documents.change(params.text_document.uri, changes, params.text_document.version)

    def _close(self, params: T.DidCloseTextDocumentParams) -> None:
        self.documents.close(params.text_document.uri)

    # -- commands: pygls' own way of running them cannot be cancelled, and drops the token

    async def _execute(self, params: T.ExecuteCommandParams) -> Any:
        manager: Any = self.fm
        command: Command | None = manager.commands.get(params.command)
        if command is None:
            raise JsonRpcInvalidParams(f"There is no command `{params.command}`.")
        return await command(Order(list(params.arguments or []), params.work_done_token))


def _change(change: T.TextDocumentContentChangeEvent) -> Change:
    if not isinstance(change, T.TextDocumentContentChangePartial):
        return Change(change.text)
    start, end = change.range.start, change.range.end
    return Change(change.text, (start.line, start.character), (end.line, end.character))
