"""What an editor asks for by itself: suggestions, actions, what is known about a word. Three moves each: read the
request, ask the room that knows, answer."""

from collections.abc import Callable
from typing import Any

from lsprotocol import types as T

from hearth_lsp.abilities import Abilities
from hearth_lsp.approving import Approver
from hearth_lsp.cards import Lens
from hearth_lsp.completion import Completer
from hearth_lsp.cutting import is_private
from hearth_lsp.document import Document, Place
from hearth_lsp.documents import Documents
from hearth_lsp.options import Options
from hearth_lsp.recalling import word_at
from hearth_lsp.remembering import Rememberer
from hearth_lsp.status import StatusLine
from hearth_lsp.texts import shortened
from hearth_lsp.window import Window
from hearth_shared.errors import HearthError
from hearth_shared.wire import Approval

_MOST_FIXES = 3
_NO_MODEL = "No model is connected: `hearth models list` shows how."
_Action = tuple[str, T.CodeActionKind | None, str, dict[str, Any], T.Diagnostic | None]


class Features:
    """The rooms behind the requests."""

    def __init__(
        self,
        documents: Documents,
        completer: Completer,
        rememberer: Rememberer,
        approver: Approver,
        status: StatusLine,
        window: Window,
        abilities: Callable[[], Abilities],
        options: Callable[[], Options],
    ) -> None:
        self._documents = documents
        self._completer = completer
        self._rememberer = rememberer
        self._approver = approver
        self._status = status
        self._window = window
        self._abilities = abilities
        self._options = options

    async def inline_completion(self, params: T.InlineCompletionParams) -> T.InlineCompletionList:
        """The ghost text at the cursor."""
        document = self._documents.get(params.text_document.uri)
        if document is None:
            return T.InlineCompletionList(items=[])
        asked = params.context.trigger_kind == T.InlineCompletionTriggerKind.Invoked
        where, chosen, start = params.position, "", params.position
        if (menu := params.context.selected_completion_info) is not None:
            start, chosen = menu.range.start, menu.text
        text = await self._suggest(document, _place(document, start), asked=asked, chosen=chosen)
        if not text:
            return T.InlineCompletionList(items=[])
        item = T.InlineCompletionItem(insert_text=chosen + text, range=T.Range(start=start, end=where))
        return T.InlineCompletionList(items=[item])

    async def completion(self, params: T.CompletionParams) -> T.CompletionList:
        """The same as an entry of the completion menu, for editors without ghost text."""
        document = self._documents.get(params.text_document.uri)
        if document is None:
            return T.CompletionList(is_incomplete=False, items=[])
        place = _place(document, params.position)
        text = await self._suggest(document, place, asked=False)
        return T.CompletionList(is_incomplete=True, items=[_entry(document, place, text)] if text else [])

    async def hover(self, params: T.HoverParams) -> T.Hover | None:
        """What memory plainly says about the word under the cursor."""
        document = self._documents.get(params.text_document.uri)
        if document is None or not self._options().hover:
            return None
        markdown = self._abilities().markdown
        text = await self._rememberer.about(document, _place(document, params.position), markdown=markdown)
        if not text:
            return None
        kind = T.MarkupKind.Markdown if markdown else T.MarkupKind.PlainText
        return T.Hover(contents=T.MarkupContent(kind=kind, value=text))

    async def code_actions(self, params: T.CodeActionParams) -> list[T.CodeAction | T.Command]:
        """Explain, fix, edit, remember; and completion where there is no ghost text."""
        document = self._documents.get(params.text_document.uri)
        if document is None or is_private(self._documents.name(document.uri)):
            return []
        place = {"uri": document.uri, "range": _plain(params.range)}
        offered: list[_Action] = [self._fix(place, one) for one in params.context.diagnostics[:_MOST_FIXES]]
        offered.append(("Hearth: explain this", None, "hearth.explain", place, None))
        if params.range.start != params.range.end:
            offered.append(("Hearth: remember these lines", None, "hearth.remember", place, None))
        if self._abilities().apply_edit:
            rewrite = T.CodeActionKind.RefactorRewrite
            offered.append(("Hearth: edit this by instruction…", rewrite, "hearth.edit", place, None))
            if not self._abilities().inline_completion and params.range.start == params.range.end:
                offered.append(("Hearth: complete here", None, "hearth.complete", place, None))
        only = params.context.only
        return [self._action(one) for one in offered if _is_wanted(one[1], only)]

    async def code_lenses(self, params: T.CodeLensParams) -> list[T.CodeLens]:
        """Approvals that would change this file."""
        document = self._documents.get(params.text_document.uri)
        if document is None:
            return []
        shown = await self._approver.lenses(document)
        return [_lens(approval, lens, len(document.lines) - 1) for approval, lens in shown]

    async def _suggest(self, document: Document, place: Place, *, asked: bool, chosen: str = "") -> str:
        try:
            return await self._completer.suggest(document, place, asked=asked, chosen=chosen)
        except HearthError as error:
            self._window.say(str(error), T.MessageType.Warning)
            return ""

    @staticmethod
    def _fix(place: dict[str, Any], diagnostic: T.Diagnostic) -> _Action:
        arguments = {
            **place,
            "range": _plain(diagnostic.range),
            "message": diagnostic.message,
            "source": str(diagnostic.source or ""),
        }
        title = f"Hearth: fix “{shortened(diagnostic.message, 60)}”"
        return title, T.CodeActionKind.QuickFix, "hearth.fix", arguments, diagnostic

    def _action(self, offered: _Action) -> T.CodeAction | T.Command:
        title, kind, name, arguments, diagnostic = offered
        command = T.Command(title=title, command=name, arguments=[arguments])
        if not self._abilities().action_literals:
            return command
        writes = kind is not None and not self._status.can_write
        disabled = T.CodeActionDisabled(reason=_NO_MODEL) if writes and self._abilities().disabled_actions else None
        return T.CodeAction(
            title=title,
            kind=kind,
            command=None if disabled else command,
            disabled=disabled,
            diagnostics=[diagnostic] if diagnostic is not None else None,
        )


def _lens(approval: Approval, lens: Lens, last: int) -> T.CodeLens:
    """Above a line that is there: the person may have typed."""
    at = T.Position(line=min(lens.line, last), character=0)
    said = {"id": approval["id"]} | ({"decision": lens.decision} if lens.decision else {})
    name = "hearth.decide" if lens.decision else "hearth.approval"
    return T.CodeLens(
        range=T.Range(start=at, end=at), command=T.Command(title=lens.title, command=name, arguments=[said])
    )


def _place(document: Document, position: T.Position) -> Place:
    return document.place(position.line, position.character)


def _plain(range_: T.Range) -> dict[str, Any]:
    return {
        name: {"line": position.line, "character": position.character}
        for name, position in (("start", range_.start), ("end", range_.end))
    }


def _is_wanted(kind: T.CodeActionKind | None, only: Any) -> bool:
    """Whether the editor, which may ask for some kinds only, wants this one."""
    if not only:
        return True
    name = str(kind.value) if kind is not None else ""
    wanted = [str(getattr(one, "value", one)) for one in only]
    return any(name and (name == one or name.startswith(f"{one}.") or not one) for one in wanted)


def _entry(document: Document, place: Place, text: str) -> T.CompletionItem:
    """It replaces the word that is being typed by itself and what follows, so that no menu filters it out."""
    line = document.line(place.line)[: place.column]
    word = word_at(line, place.column)
    word = word if word and line.endswith(word) else ""
    start = Place(place.line, place.column - len(word))
    new = (word + text).replace("\n", document.end_of_line)
    return T.CompletionItem(
        label=shortened(word + text.strip("\n").split("\n", 1)[0], 80),
        kind=T.CompletionItemKind.Text,
        detail="Hearth",
        documentation=word + text,
        filter_text=word or None,
        sort_text="~",
        text_edit=T.TextEdit(
            range=T.Range(
                start=T.Position(line=start.line, character=document.character(start)),
                end=T.Position(line=place.line, character=document.character(place)),
            ),
            new_text=new,
        ),
    )
