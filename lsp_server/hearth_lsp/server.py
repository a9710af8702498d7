"""The composition root of one editor's session: every room once, and the requests that lead to them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, cast

from lsprotocol import types as T
from pygls.lsp.server import LanguageServer

from hearth_lsp import options
from hearth_lsp.approving import Approver
from hearth_lsp.asking import Asker
from hearth_lsp.backend import Backend
from hearth_lsp.commands import Commands
from hearth_lsp.completion import Completer
from hearth_lsp.features import Features
from hearth_lsp.options import Options
from hearth_lsp.protocol import HearthProtocol
from hearth_lsp.remembering import Rememberer
from hearth_lsp.status import Shown, StatusLine
from hearth_lsp.window import Window
from hearth_lsp.writing import Writer
from hearth_shared import __version__
from hearth_shared.discovery import START
from hearth_shared.errors import HearthError
from hearth_shared.paths import Home

log = logging.getLogger(__name__)
_STATUS = "hearth/didChangeStatus"
_KINDS = (T.CodeActionKind.QuickFix, T.CodeActionKind.RefactorRewrite)
# Sent by editors and extensions that also speak with other assistants; there is nothing to be done about them.
_HEARD = (
    "textDocument/didShowCompletion",
    "textDocument/didPartiallyAcceptCompletion",
    "textDocument/didAcceptCompletion",
)


class HearthServer(LanguageServer):
    """One editor's session. `ended` is called when the editor's process is gone."""

    def __init__(self, home: Home, *, command: Sequence[str] = START) -> None:
        kind: Any = HearthProtocol
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - its rest arguments are not typed
            "hearth", __version__, protocol_cls=kind, max_workers=1
        )
        self.editor = cast("HearthProtocol", self.protocol)
        self._options = Options()
        self._tasks: set[asyncio.Task[None]] = set()
        backend = Backend(home, command)
        self._window = Window(self, lambda: self.editor.abilities, home.root / "answers")
        approver = Approver(backend, self._window, self._window.refresh_lenses)
        self._status = StatusLine(backend, self._publish, self._complain, approver.look)
        documents = self.editor.documents
        completer = Completer(backend, documents, self._status, self._chosen)
        rememberer = Rememberer(backend)
        self._features = Features(
            documents,
            completer,
            rememberer,
            approver,
            self._status,
            self._window,
            lambda: self.editor.abilities,
            self._chosen,
        )
        self._commands = Commands(
            documents,
            Asker(backend),
            Writer(backend),
            rememberer,
            approver,
            completer,
            self._status,
            self._window,
            self._chosen,
        )
        self.watch: Callable[[int | None], None] = lambda pid: None
        self._register()

    async def leave(self) -> None:
        """End what goes on; what was promised to a person lives in the backend."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """pygls would show the person a message for each of its own troubles."""
        log.error("%s: %s", getattr(source, "__name__", source), error)

    # -- what the editor may ask for

    def _register(self) -> None:
        features = self._features
        actions = T.CodeActionOptions(code_action_kinds=list(_KINDS))
        self._on(T.INITIALIZE, self._initialize)
        self._on(T.INITIALIZED, self._initialized)
        self._on(T.WORKSPACE_DID_CHANGE_CONFIGURATION, self._configured)
        self._on(T.TEXT_DOCUMENT_INLINE_COMPLETION, features.inline_completion, T.InlineCompletionOptions())
        self._on(T.TEXT_DOCUMENT_CODE_ACTION, features.code_actions, actions)
        self._on(T.TEXT_DOCUMENT_HOVER, features.hover)
        self._on(T.TEXT_DOCUMENT_CODE_LENS, features.code_lenses, T.CodeLensOptions(resolve_provider=False))
        self._on("textDocument/didFocus", self._focused)
        for method in _HEARD:
            self._on(method, _heard)
        for name, command in self._commands.by_name().items():
            self.command(name)(command)

    def _on(self, method: str, handle: Callable[[Any], Awaitable[Any]], with_options: Any = None) -> None:
        async def handler(params: Any) -> Any:  # pygls writes on what it is given, which a method does not take
            return await handle(params)

        self.feature(method, with_options)(handler)

    async def _initialize(self, params: T.InitializeParams) -> None:
        """An editor without ghost text gets suggestions in its completion menu."""
        self._set(params.initialization_options)
        if not self.editor.abilities.inline_completion:
            menu = T.CompletionOptions(resolve_provider=False)
            self._on(T.TEXT_DOCUMENT_COMPLETION, self._features.completion, menu)
        self.watch(params.process_id)

    async def _initialized(self, params: Any) -> None:
        self._start(self._status.run())

    async def _configured(self, params: T.DidChangeConfigurationParams) -> None:
        self._set(params.settings)

    async def _focused(self, params: Any) -> None:
        with suppress(AttributeError):  # of no standard: whatever comes
            self.editor.documents.touch(str(params.textDocument.uri))

    # -- inside

    def _chosen(self) -> Options:
        return self._options

    def _set(self, given: object) -> None:
        self._options, wrong = options.read(given, self._options)
        if wrong:
            self._window.say(f"Hearth: {'; '.join(wrong)}. The default holds.", T.MessageType.Warning)

    def _publish(self, shown: Shown) -> None:
        self._window.tell(_STATUS, shown.params())

    def _complain(self, error: HearthError) -> None:
        message = f"Hearth cannot start, so it neither completes nor answers here. {error}"
        self._window.say(message, T.MessageType.Error)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the status is not followed any more", exc_info=error)


async def _heard(params: Any) -> None:
    """Taken note of."""
