"""Edits by a model: the conversation that asks for one, and the edit in its answer. Nothing of it is remembered."""

import os
from typing import Any

from hearth_lsp.backend import Backend
from hearth_lsp.document import Document
from hearth_lsp.editing import Edit, Part, edit, edit_prompt, fenced, fitted, fix_prompt, is_too_long, still_there
from hearth_shared.errors import BadRequest, Conflict, ModelFailed

_LIMIT_S = 600.0
_MARK_BYTES = 6


class Writer:
    """Asks a model for the new text of a part of a file."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def change(self, part: Part, instruction: str) -> str:
        """By the person's instruction."""
        return await self._written(part, edit_prompt(part, instruction, _mark(part)))

    async def fix(self, part: Part, problem: str, source: str) -> str:
        """What a tool reports about the part."""
        return await self._written(part, fix_prompt(part, problem, source, _mark(part)))

    async def _written(self, part: Part, messages: list[dict[str, str]]) -> str:
        if is_too_long(part):
            raise BadRequest("This is too much to write anew at once.", "Select fewer lines.")
        body = {"model": "auto", "messages": messages, "temperature": 0, "stream": False}
        answer: dict[str, Any] = await self._backend.ask("POST", "/v1/chat/completions", body, limit=_LIMIT_S)
        choice = answer["choices"][0]
        new = fenced(choice["message"].get("content") or "")
        if new is None or choice["finish_reason"] == "length":
            raise ModelFailed(
                "The model's answer holds no whole text to put in; nothing was changed.",
                "Select fewer lines, say it in other words, or choose a larger model.",
            )
        return new


def placed(document: Document | None, part: Part, new: str) -> Edit | None:
    """The edit, where the part still stands as it stood; None when it changes nothing. Raises Conflict."""
    if document is None or not still_there(document, part):
        raise Conflict("The text was changed meanwhile; nothing was put in.", "Ask again.")
    return edit(document, part, fitted(part.text, new, document.end_of_line))


def _mark(part: Part) -> str:
    """A number that stands nowhere in the file."""
    while (mark := os.urandom(_MARK_BYTES).hex()) in part.before + part.text + part.after:
        pass
    return mark
