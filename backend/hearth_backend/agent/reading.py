"""What is read before an answer: files and pages laid beside the question, memory, and Hearth's documentation."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hearth_backend.agent.journal import Journal, RunView
from hearth_backend.agent.keeping import PERSON
from hearth_backend.agent.ledger import shortened
from hearth_backend.memory.files import whole
from hearth_backend.memory.ports import Recall
from hearth_backend.observe.metrics import Metrics
from hearth_shared.errors import HearthError
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import FileText, Source

Passages = Callable[[str, Sequence[FileText], int], Awaitable[Sequence[Source]]]
Background = Callable[[RunView], Awaitable[Sequence[Source]]]
_FILE_PASSAGES = 6
_WHOLE = 12_000  # characters of files and pages that a model reads as they are
_LONGEST_QUESTION = 4000


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found, best first."""

    files: Sequence[FileText]
    file_passages: Sequence[Source]
    memory: Sequence[Source]
    note: str = ""
    background: Sequence[Source] = ()

    def for_model(self) -> list[Source]:
        """Small files as they are, of larger ones the passages; then memory."""
        if sum(len(file.text) for file in self.files) > _WHOLE:
            return [*self.file_passages, *self.memory]
        return [*map(whole, self.files), *self.memory]

    def for_person(self) -> list[Source]:
        """Passages that can be quoted."""
        return [*self.file_passages, *self.memory]


async def no_background(run: RunView) -> Sequence[Source]:
    """Nothing is known of earlier conversations."""
    return ()


class Reader:
    """Reads once for each run: what was read is a step, so that a replay finds the same numbers. `permits` says what a
    door may recall; `background` tells what earlier conversations came to."""

    def __init__(
        self,
        recall: Recall,
        passages_of: Passages,
        metrics: Metrics,
        *,
        token_budget: int,
        permits: Callable[[str, Source], bool] = lambda door, source: True,
        background: Background = no_background,
    ) -> None:
        self._recall = recall
        self._background = background
        self._permits = permits
        self._passages_of = passages_of
        self._metrics = metrics
        self._token_budget = token_budget

    async def read(self, journal: Journal) -> Reading:
        """What is there for this run's question. Memory that fails is noted, not fatal."""
        record = await journal.step("recall", "", lambda: self._look(journal))
        return Reading(
            files=journal.run.context.files,
            file_passages=[Source.model_validate(source) for source in record["files"]],
            memory=[Source.model_validate(source) for source in record["memory"]],
            note=record["note"],
            background=[Source.model_validate(source) for source in record.get("background", ())],
        )

    async def _look(self, journal: Journal) -> dict[str, Any]:
        run, files, note, behind = journal.run, list[Source](), "", list[Source]()
        question = run.goal[:_LONGEST_QUESTION]
        if run.context.files:
            files = list(await self._passages_of(question, run.context.files, _FILE_PASSAGES))
        try:
            found = await self._recall.recall(question, run.spaces, token_budget=self._token_budget)
            memory = [source for source in found if self._permits(run.door, source)]
            behind = await self._behind(run)
            self._metrics.recall("found" if memory else "nothing")
            if memory:
                self._metrics.recalled(max(source.score for source in memory))
        except HearthError as error:
            memory, note = [], f"Memory could not be searched: {error}"
            self._metrics.recall("failed")
        shown = [source.model_copy(update={"quote": shortened(source.quote)}) for source in (*files, *memory)]
        await journal.emit(EventType.MEMORY_RECALLED, {"sources": [source.model_dump() for source in shown]})
        plain = {"files": files, "memory": memory, "background": behind}
        return {name: [source.model_dump() for source in found] for name, found in plain.items()} | {"note": note}

    async def _behind(self, run: RunView) -> list[Source]:
        """What earlier conversations came to is the person's; neither a program that asks for something else nor a part
        of a plan is told of it."""
        if run.owner != PERSON or run.depth:
            return []
        return [source for source in await self._background(run) if self._permits(run.door, source)]
