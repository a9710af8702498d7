"""`X-Hearth-Memory: on`: a program's question gets what is remembered laid beside it, numbered to be cited.

Only for a token that may read memory, of the spaces it was given; nothing that is to stay on this machine, for where a
program carries it nobody knows. The answer tells what was laid beside it in a field of its own, `hearth_memory`.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from hearth_backend.agent.context import asked_beside
from hearth_backend.agent.ledger import Entry, Ledger
from hearth_backend.api.exchange import Call, Reply, Stream
from hearth_backend.gateway.messages import ChatRequest
from hearth_backend.memory.consent import Permits
from hearth_backend.memory.facts import Facts
from hearth_backend.memory.known_first import KnownFirst
from hearth_backend.memory.ports import Recall
from hearth_backend.services import Services
from hearth_shared.errors import BadRequest, Forbidden
from hearth_shared.protocol.principals import Door, Scope
from hearth_shared.protocol.tasks import Source

HEADER: Final = b"x-hearth-memory"
_LONGEST_QUESTION: Final = 4000
_HOW: Final = "Name each passage that you use by its number in brackets, such as [1]."
_TOLD: Final = ("n", "id", "title", "quote", "url", "occurred_at", "fact")


class Remembered:
    """Lays memory beside the questions of the compatible doors that converse."""

    def __init__(self, services: Services) -> None:
        memory = services.memory
        self._recall: Recall = KnownFirst(memory, Facts(services.database, memory.remember))
        self._permits = Permits(services.consents.decisions)
        self._token_budget = services.settings.memory.recall_tokens

    async def beside(self, call: Call, request: ChatRequest) -> tuple[ChatRequest, Sequence[Entry]]:
        """The request with memory beside its question, where the call asks for it. Raises BadRequest, Forbidden."""
        if not _is_asked(call):
            return request, ()
        places = [place for place, message in enumerate(request.messages) if message.role == "user"]
        if not places or not (question := request.messages[places[-1]].content).strip():
            return request, ()
        spaces = call.principal.recalled
        found = await self._recall.recall(question[:_LONGEST_QUESTION], spaces, token_budget=self._token_budget)
        entries = Ledger().add(source for source in found if self._may(source))
        if not entries:
            return request, ()
        messages = list(request.messages)
        content = f"{_HOW}\n{asked_beside(entries, question)}"
        messages[places[-1]] = replace(messages[places[-1]], content=content)
        return replace(request, messages=messages), entries

    def _may(self, source: Source) -> bool:
        """Memory alone, and of it what a program may have."""
        return source.kind == "memory" and not source.local_only and self._permits.source(Door.HTTP.value, source)


def citing(answer: Reply | Stream, entries: Sequence[Entry]) -> Reply | Stream:
    """The answer, in whose first object stands what was laid beside the question; as it was when nothing was."""
    if not entries:
        return answer
    told = [{name: entry.source.model_dump()[name] for name in _TOLD} for entry in entries]
    field = b'"hearth_memory":' + json.dumps(told, ensure_ascii=False).encode("utf-8", "replace") + b","
    if isinstance(answer, Reply):
        return replace(answer, body=_with(answer.body, field))
    return replace(answer, chunks=_first_with(answer.chunks, field))


async def _first_with(chunks: AsyncGenerator[bytes, None], field: bytes) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        async for chunk in chunks:
            yield _with(chunk, field) if field else chunk
            field = b""


def _with(said: bytes, field: bytes) -> bytes:
    """An object's JSON with one more field, at its beginning: none of these answers is an empty object."""
    return said.replace(b"{", b"{" + field, 1)


def _is_asked(call: Call) -> bool:
    wanted = call.header(HEADER).strip().lower()
    if wanted in ("", "off"):
        return False
    if wanted != "on":
        raise BadRequest("`X-Hearth-Memory` is on or off.", "Send one of them.", field="X-Hearth-Memory")
    if Scope.MEMORY_READ not in call.principal.scopes:
        raise Forbidden("This credential may not read memory.", "Create a token with memory:read.")
    return True
