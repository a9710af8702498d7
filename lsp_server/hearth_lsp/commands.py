"""What the person asks for: questions, recall, explanations, fixes, edits. A failure is said, never thrown at them."""

from collections.abc import Callable
from typing import Any, cast

from lsprotocol import types as T

from hearth_lsp.approving import Approver
from hearth_lsp.asking import Asker, Passage, Progress, Question
from hearth_lsp.completion import Completer
from hearth_lsp.cutting import is_private
from hearth_lsp.document import Document, Place, Span
from hearth_lsp.documents import Documents
from hearth_lsp.editing import Edit, Part, part_of
from hearth_lsp.options import Options
from hearth_lsp.protocol import Command, Order
from hearth_lsp.remembering import Rememberer
from hearth_lsp.status import StatusLine
from hearth_lsp.window import Window
from hearth_lsp.writing import Writer, placed
from hearth_shared.errors import BadRequest, HearthError

_LONGEST_TEXT = 200_000
_LONGEST_WHOLE = 60_000
_LONGEST_KEPT = 8_000
_NOTE_INSTEAD = "Note what matters in your own words: `hearth memory add`."
_BESIDE_LINES = 3
_FORGET, _KEEP = "Forget", "Keep"
_SUGGESTED = ("Fix mistakes", "Simplify", "Add comments", "Add type annotations")


class Commands:
    """By name. Each takes one object, or plain words where one text is enough."""

    def __init__(
        self,
        documents: Documents,
        asker: Asker,
        writer: Writer,
        rememberer: Rememberer,
        approver: Approver,
        completer: Completer,
        status: StatusLine,
        window: Window,
        options: Callable[[], Options],
    ) -> None:
        self._documents = documents
        self._asker = asker
        self._writer = writer
        self._rememberer = rememberer
        self._approver = approver
        self._completer = completer
        self._status = status
        self._window = window
        self._options = options

    def by_name(self) -> dict[str, Command]:
        """All of them; what HearthError says is shown to the person and told to the caller."""
        named: dict[str, Command] = {
            "hearth.ask": self.ask,
            "hearth.explain": self.explain,
            "hearth.fix": self.fix,
            "hearth.edit": self.edit,
            "hearth.complete": self.complete,
            "hearth.recall": self.recall,
            "hearth.remember": self.remember,
            "hearth.forget": self.forget,
            "hearth.threads": self.threads,
            "hearth.approval": self.approval,
            "hearth.decide": self.decide,
            "hearth.status": self.status,
        }
        return {name: self._calmly(command) for name, command in named.items()}

    async def ask(self, order: Order) -> Any:
        """A question: `text`, and if wanted `thread_id` or `continue`, and a file's `uri` with a `range`."""
        said = order.said
        text = _text(said, "text", "Write the question after the command.")
        thread = str(said.get("thread_id") or (self._asker.thread if said.get("continue") else ""))
        beside = self._passages(said)
        question = Question(text, beside, thread, local_only=said.get("local_only") is True)
        return await self._answered(order, question)

    async def explain(self, order: Order) -> Any:
        """The lines of a `range` in the file `uri`."""
        document, span = self._where(order)
        part = part_of(document, self._documents.name(document.uri), span)
        first, last = (
            part.span.start.line + 1,
            max(part.span.start.line, part.span.end.line - (not part.span.end.column)) + 1,
        )
        lines = f"line {first}" if first == last else f"lines {first} to {last}"
        beside = [Passage(f"{part.name}, {lines}", part.uri, part.text, first)]
        if len(document.text) <= _LONGEST_WHOLE and document.text != part.text:
            beside.append(Passage(part.name, part.uri, document.text))
        return await self._answered(order, Question(f"Explain {lines} of {part.name}.", beside))

    async def fix(self, order: Order) -> Any:
        """What a tool reports (`message`, `source`) about a `range` in the file `uri`."""
        document, span = self._where(order)
        part = part_of(document, self._documents.name(document.uri), _widened(document, span))
        problem = _text(order.said, "message", "Put the cursor on a problem that your tools report.")
        async with self._window.progress(order, "fixing"):
            new = await self._writer.fix(part, problem, str(order.said.get("source") or ""))
        return await self._put(part, new, "Hearth: fix")

    async def edit(self, order: Order) -> Any:
        """A `range` in the file `uri`, by an `instruction`; without one the person is asked."""
        document, span = self._where(order)
        part = part_of(document, self._documents.name(document.uri), span)
        instruction = str(order.said.get("instruction") or "").strip()
        if not instruction:
            instruction = await self._window.choose("What should be done with this?", *_SUGGESTED)
        if not instruction:
            return {"applied": False}
        async with self._window.progress(order, "editing"):
            new = await self._writer.change(part, instruction[:_LONGEST_TEXT])
        return await self._put(part, new, "Hearth: edit")

    async def complete(self, order: Order) -> Any:
        """Put in what may stand at the `range`'s beginning in the file `uri`."""
        document, span = self._where(order)
        async with self._window.progress(order, "completing"):
            text = await self._completer.suggest(document, span.start, asked=True)
        if not text:
            self._window.say("Hearth has nothing to put here.")
            return {"applied": False}
        put = Edit(Span(span.start, span.start), text.replace("\n", document.end_of_line))
        return {"applied": await self._window.apply(document, put, "Hearth: completion"), "text": text}

    async def recall(self, order: Order) -> Any:
        """What memory holds about a `text`."""
        text = _text(order.said, "text", "Write what to look for after the command.")
        async with self._window.progress(order, "looking in memory"):
            found = await self._rememberer.recall(text)
        await self._show(text, found)
        return found

    async def remember(self, order: Order) -> Any:
        """The lines of a `range` in the file `uri`, as they stand now."""
        document, span = self._where(order)
        name = self._documents.name(document.uri)
        part = part_of(document, name, span)
        if is_private(name):
            raise BadRequest(f"{name} holds secrets by its name, so nothing of it was kept.", _NOTE_INSTEAD)
        if not part.text.strip():
            raise BadRequest("There is nothing in these lines to keep.", "Select the lines to remember.")
        if len(part.text) > _LONGEST_KEPT:
            raise BadRequest(
                f"That is too long for one memory ({len(part.text)} characters, at most {_LONGEST_KEPT}).",
                "Select the lines that matter.",
            )
        kept = await self._rememberer.keep(part, self._documents.project(document.uri))
        known = "" if kept.is_new else " It was known already."
        self._window.say(f"Hearth remembers these lines of {name}.{known}")
        return {"id": kept.id, "new": kept.is_new}

    async def forget(self, order: Order) -> Any:
        """The memories with these `ids`, once the person has seen what goes and said so."""
        ids = [str(one) for one in cast("list[Any]", order.said.get("ids") or [])][:256]
        if not ids:
            raise BadRequest("No memory is named.", "Recall something first: each memory has its id.")
        going = await self._rememberer.forget(ids, try_only=True)
        told = "\n".join(f"“{one}”" for one in going)
        if await self._window.choose(f"Forget this, in every place?\n{told}", _FORGET, _KEEP) != _FORGET:
            return {"forgotten": 0}
        return {"forgotten": len(await self._rememberer.forget(ids, try_only=False))}

    async def threads(self, order: Order) -> Any:
        """The person's threads, to go on in one that began elsewhere."""
        return {"threads": await self._asker.threads()}

    async def approval(self, order: Order) -> Any:
        """The whole card of the approval `id`."""
        return {"approval": await self._approver.show(_approval(order))}

    async def decide(self, order: Order) -> Any:
        """`decision` (accept, respond, ignore) on the approval `id`; `text` goes with respond."""
        said = order.said
        decision = str(said.get("decision") or "")
        decided = await self._approver.decide(_approval(order), decision, str(said.get("text") or "").strip())
        return {"decided": decision if decided else ""}

    async def status(self, order: Order) -> Any:
        """How Hearth is now."""
        return self._status.shown.params()

    # -- inside

    def _calmly(self, command: Command) -> Command:
        async def run(order: Order) -> Any:
            try:
                answer = await command(order)
            except HearthError as error:
                if self._options().answers == "document":
                    self._window.say(str(error), T.MessageType.Warning)
                return {"problem": {"code": error.code, "detail": error.detail, "fix": error.fix}}
            finally:
                self._status.poke()
            return answer

        return run

    async def _answered(self, order: Order, question: Question) -> Any:
        async with self._window.progress(order, "answering") as report:
            told = _Teller(self._window, order) if self._options().answers == "client" else None
            answer = await self._asker.ask(question, Progress(report, told) if told else Progress(report))
        await self._show(question.text, answer)
        return answer

    async def _show(self, title: str, found: dict[str, Any]) -> None:
        if self._options().answers == "document":
            await self._window.show_page(title, found["page"])

    async def _put(self, part: Part, new: str, label: str) -> Any:
        document = self._documents.get(part.uri)
        change = placed(document, part, new)
        if change is None or document is None:
            self._window.say("The model would change nothing here.")
            return {"applied": False}
        if await self._window.apply(document, change, label):
            return {"applied": True}
        raise BadRequest("The editor did not take the edit.", "Ask again once the file is open and can be changed.")

    def _where(self, order: Order) -> tuple[Document, Span]:
        document = self._documents.get(str(order.said.get("uri") or ""))
        if document is None:
            raise BadRequest("This file is not open in the editor.", "Open it, and try again.")
        return document, _span(document, order.said.get("range"))

    def _passages(self, said: dict[str, Any]) -> list[Passage]:
        """The file the person looks at, or the part that they selected, where the question names one."""
        document = self._documents.get(str(said.get("uri") or ""))
        if document is None:
            return []
        name = self._documents.name(document.uri)
        span = _span(document, said.get("range"))
        if span.start == span.end:
            return [Passage(name, document.uri, document.text)]
        part = part_of(document, name, span)
        return [Passage(name, document.uri, part.text, part.span.start.line + 1)]


class _Teller:
    """Sends an answer on while it comes: what is new, or all of it when it begins again."""

    def __init__(self, window: Window, order: Order) -> None:
        self._window = window
        self._token = order.said.get("token", order.token)
        self._sent = ""

    def __call__(self, text: str) -> None:
        if text.startswith(self._sent):
            told = {"token": self._token, "append": text[len(self._sent) :]}
        else:
            told = {"token": self._token, "text": text}
        self._sent = text
        self._window.tell("hearth/answer", told)


def _widened(document: Document, span: Span) -> Span:
    """With the lines next to it: what mends a line is often done beside it."""
    first = max(0, span.start.line - _BESIDE_LINES)
    last = min(len(document.lines) - 1, span.end.line + _BESIDE_LINES)
    return Span(Place(first, 0), Place(last, len(document.line(last))))


def _approval(order: Order) -> str:
    approval_id = str(order.said.get("id") or "")
    if not approval_id:
        raise BadRequest("No approval is named.", "`hearth approvals list` shows what waits.")
    return approval_id


def _text(said: dict[str, Any], name: str, fix: str) -> str:
    text = str(said.get(name) or "").strip()
    if not text:
        raise BadRequest("Nothing was said.", fix)
    return text[:_LONGEST_TEXT]


def _span(document: Document, given: object) -> Span:
    """A range as JSON tells it; the whole file when it makes no sense."""
    start, end = _point(given, "start"), _point(given, "end")
    if start is None or end is None:
        return Span(document.place(0, 0), document.end)
    return document.span(start, end)


def _point(given: object, name: str) -> tuple[int, int] | None:
    range_ = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    point = range_.get(name)
    at = cast("dict[str, Any]", point) if isinstance(point, dict) else {}
    line, character = at.get("line"), at.get("character")
    return (line, character) if isinstance(line, int) and isinstance(character, int) else None
