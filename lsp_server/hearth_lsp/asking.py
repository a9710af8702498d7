"""Questions to Hearth: in a thread that every door shows, answered over every break, with sources that open."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, cast

from hearth_lsp.backend import Backend
from hearth_lsp.texts import Link, answer_page, is_page, shortened, told
from hearth_lsp.transcript import Transcript, doing, made_by
from hearth_shared.errors import Cancelled, HearthError, from_problem
from hearth_shared.wire import Answer, EventType, Source, ThreadList

_THREADS = 30
_LONGEST_FILE = 200_000
_FIRST_WORD_S = 5.0


@dataclass(frozen=True, slots=True)
class Passage:
    """A file, or a part of one, that lies beside a question; `first` is its first line, from 1."""

    name: str
    uri: str
    text: str
    first: int = 1


@dataclass(frozen=True, slots=True)
class Question:
    """What the person asks. `thread` names the one to go on in; without it a new one begins."""

    text: str
    beside: Sequence[Passage] = ()
    thread: str = ""
    local_only: bool = False


@dataclass(slots=True)
class Progress:
    """Who is told while an answer comes: `doing` what is done, `text` all of the answer so far."""

    doing: Callable[[str], None] = field(default=lambda _: None)
    text: Callable[[str], None] = field(default=lambda _: None)


class Asker:
    """Asks, and remembers which thread it asked in last."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.thread = ""

    async def ask(self, question: Question, progress: Progress) -> dict[str, Any]:
        """The answer, for an editor's extension; its `page` is for one without. Raises HearthError when none came.

        Cancelling it stops the run too.
        """
        thread = question.thread or await self._begin(question)
        self.thread = thread
        task_id, answer = await self._say(thread, question, progress)
        links = [_link(source, question.beside) for source in answer["sources"]]
        return {
            "thread_id": thread,
            "task_id": task_id,
            "text": answer["text"],
            "complete": answer["complete"],
            "made_by": made_by(answer),
            "notes": list(answer["notes"]),
            "sources": [told(source, link) for source, link in zip(answer["sources"], links, strict=True)],
            "page": answer_page(question.text, answer, links),
        }

    async def threads(self) -> list[dict[str, Any]]:
        """The person's threads, last used first, whichever door they began in."""
        found: ThreadList = await self._backend.ask("GET", f"/v1/threads?limit={_THREADS}")
        names = ("id", "title", "door", "updated_at")
        return [{name: thread[name] for name in names} for thread in cast("list[dict[str, Any]]", found["threads"])]

    async def _begin(self, question: Question) -> str:
        body = {"title": shortened(question.text, 60), "local_only": question.local_only}
        return str((await self._backend.ask("POST", "/v1/threads", body))["id"])

    async def _say(self, thread: str, question: Question, progress: Progress) -> tuple[str, Answer]:
        task_id, transcript = "", Transcript()
        said = (f"/v1/threads/{thread}/messages", _message(question), os.urandom(16).hex())
        try:
            async with aclosing(self._backend.say(*said)) as events:
                async for event in events:
                    task_id = event["run_id"] or task_id
                    if what := doing(event):
                        progress.doing(what)
                    if transcript.take(event):
                        progress.text(transcript.text)
                    if event["type"] == EventType.TASK_FINISHED:
                        return task_id, cast("Answer", event["data"]["answer"])
                    _raise_failure(event["type"], event["data"])
        except asyncio.CancelledError:
            await asyncio.shield(self._stop(task_id, said))
            raise
        raise HearthError("The answer ended without its end.", "Ask again.")

    async def _stop(self, task_id: str, said: tuple[str, Any, str]) -> None:
        """End the run. Before anything of it was heard, saying the same under the same key tells which it is."""
        if not task_id:
            with suppress(HearthError, TimeoutError):
                async with asyncio.timeout(_FIRST_WORD_S), aclosing(self._backend.say(*said)) as events:
                    async for event in events:
                        task_id = event["run_id"] or ""
                        break
        if task_id:
            await self._backend.stop(task_id)


def _message(question: Question) -> dict[str, Any]:
    files = [{"name": one.name[:1024], "text": one.text[:_LONGEST_FILE]} for one in question.beside if one.text]
    return {"text": question.text, "context": {"files": files}, "local_only": question.local_only}


def _raise_failure(kind: str, data: Mapping[str, Any]) -> None:
    if kind == EventType.TASK_FAILED:
        raise from_problem(data)
    if kind == EventType.TASK_CANCELLED:
        raise Cancelled("The answer was stopped.")


def _link(source: Source, beside: Sequence[Passage]) -> Link:
    """Where a source opens: a page by its address, a file that lay beside the question at its line."""
    for address in (str(cast("dict[str, Any]", source).get("url") or ""), source["location"], source["title"]):
        if is_page(address):
            return Link(url=address)
    if source["kind"] != "file":
        return Link()
    name, _, line = source["location"].rpartition(":")
    number = int(line) if line.isdigit() else 1
    for passage in beside:
        if passage.name in (name, source["id"], source["location"]):
            return Link(uri=passage.uri, line=passage.first + number - 1)
    return Link()
