"""What may stand at the cursor: one request for each document, the last keystroke wins."""

import asyncio
import itertools
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hearth_lsp.backend import Backend
from hearth_lsp.cutting import Cut, around, beside, is_private
from hearth_lsp.document import Document, Place
from hearth_lsp.documents import Documents
from hearth_lsp.options import Options
from hearth_lsp.status import StatusLine
from hearth_lsp.suggestion import Suggestion, worth_showing
from hearth_shared.errors import BackendUnavailable, HearthError
from hearth_shared.wire import CompleteAnswer

log = logging.getLogger(__name__)
_LIMIT_S = 30.0
_TOKENS, _TOKENS_ASKED = 64, 160


@dataclass(eq=False, slots=True)
class _Keystroke:
    work: "asyncio.Task[str]"
    superseded: bool = False


class Completer:
    """Suggests. A request that a newer one overtook is answered with nothing, at once."""

    def __init__(
        self, backend: Backend, documents: Documents, status: StatusLine, options: Callable[[], Options]
    ) -> None:
        self._backend = backend
        self._documents = documents
        self._status = status
        self._options = options
        self._session = os.urandom(6).hex()  # two editors with the same file open are not in each other's way
        self._versions = itertools.count(1)
        self._newest: dict[str, _Keystroke] = {}
        self._last: dict[str, Suggestion] = {}

    async def suggest(self, document: Document, place: Place, *, asked: bool, chosen: str = "") -> str:
        """The text to show behind the cursor; empty when there is none.

        `asked`: the person asked for it. `chosen` is what an open menu would insert; the text goes on from there.
        Raises HearthError only for what was asked.
        """
        if is_private(self._documents.name(document.uri)) or not (asked or self._options().completion):
            return ""
        cut = around(document, place)
        cut = Cut(cut.before + chosen, cut.after)
        if not asked and (left := self._known(document.uri, cut)):
            return left
        version = document.version
        text = await self._newest_of(document, cut, asked=asked)
        if document.version != version or not text:
            return ""
        self._last[document.uri] = Suggestion(cut, text)
        return text

    def forget(self, uri: str) -> None:
        """The document is closed."""
        self._last.pop(uri, None)

    def _known(self, uri: str, cut: Cut) -> str:
        """What is left of the last suggestion when the person types along it."""
        last = self._last.get(uri)
        left = last.typed_on(cut) if last else ""
        if left and (older := self._newest.get(uri)):
            self._supersede(older)
        return left

    async def _newest_of(self, document: Document, cut: Cut, *, asked: bool) -> str:
        if older := self._newest.get(document.uri):
            self._supersede(older)
        keystroke = _Keystroke(asyncio.create_task(self._wanted(document, cut, asked=asked)))
        self._newest[document.uri] = keystroke
        try:
            return await keystroke.work
        except asyncio.CancelledError:
            if keystroke.superseded:
                return ""
            keystroke.work.cancel()
            raise
        finally:
            if self._newest.get(document.uri) is keystroke:
                del self._newest[document.uri]

    @staticmethod
    def _supersede(older: _Keystroke) -> None:
        older.superseded = True
        older.work.cancel()

    async def _wanted(self, document: Document, cut: Cut, *, asked: bool) -> str:
        if not asked:
            await asyncio.sleep(self._options().debounce_ms / 1000)
        self._status.poke()
        call = self._backend.ask if asked else self._backend.look
        try:
            answer: CompleteAnswer = await call(
                "POST", "/v1/complete", self._body(document, cut, asked), limit=_LIMIT_S
            )
        except HearthError as error:
            if not isinstance(error, BackendUnavailable):
                self._status.completion_failed(error)
            if asked:
                raise
            log.info("nothing completed: %s", error.code)
            return ""
        self._status.completion_worked()
        return worth_showing(answer["text"], cut, whole=answer["finish_reason"] == "stop")

    def _body(self, document: Document, cut: Cut, asked: bool) -> dict[str, Any]:
        others = beside(self._documents.others(document.uri), self._documents.names())
        return {
            "document": f"{self._session}/{document.uri}"[:4096],
            "version": next(self._versions),
            "prefix": cut.before,
            "suffix": cut.after,
            "language": document.language[:64],
            "context": [{"name": other.name, "text": other.text} for other in others],
            "max_tokens": _TOKENS_ASKED if asked else _TOKENS,
        }
