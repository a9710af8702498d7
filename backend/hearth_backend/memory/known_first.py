"""Recall that puts what is known first: a question that a fact answers is answered by it, with its source."""

from collections.abc import Collection, Sequence

from hearth_backend.memory.facts import Facts
from hearth_backend.memory.ports import Recall
from hearth_shared.protocol.memory import SearchRequest, SearchResult
from hearth_shared.protocol.tasks import Source


class KnownFirst:
    """A `Recall` around another one: facts that answer the question by themselves, then its passages."""

    def __init__(self, recall: Recall, facts: Facts) -> None:
        self._recall = recall
        self._facts = facts

    async def search(self, request: SearchRequest, spaces: Collection[str]) -> SearchResult:
        """As the other one finds it."""
        return await self._recall.search(request, spaces)

    async def recall(self, question: str, spaces: Collection[str], *, token_budget: int = 1200) -> Sequence[Source]:
        """Facts first; a memory that a fact rests on is not shown twice."""
        known = await self._facts.answering(question, spaces)
        passages = await self._recall.recall(question, spaces, token_budget=token_budget)
        shown = {source.id for source in known}
        found = [*known, *(source for source in passages if source.id not in shown)]
        return [source.model_copy(update={"n": n}) for n, source in enumerate(found, 1)]
