"""What the person said is kept after the answer."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from hearth_backend.agent.journal import Journal, RunView
from hearth_backend.agent.summary import is_asked
from hearth_backend.memory.consent import LOCAL_ONLY
from hearth_shared.errors import HearthError
from hearth_shared.protocol.memory import EpisodeBatch, NewEpisode, StoredEpisodes
from hearth_shared.protocol.principals import MAIN_SPACE

PERSON = "person"


class Remember(Protocol):
    """Memory's door for new episodes."""

    async def __call__(
        self,
        batch: EpisodeBatch,
        *,
        spaces: frozenset[str],
        thread_id: str | None = None,
        trusted: bool = True,
        door: str = "",
    ) -> StoredEpisodes: ...


class Keeper:
    """Remembers the person's words: not those of a third-party program, which has no right to write memory by
    asking, and not the assistant's, which would become its own source."""

    def __init__(self, remember: Remember, now: Callable[[], datetime], *, enabled: bool) -> None:
        self._remember = remember
        self._now = now
        self.enabled = enabled

    def keeps(self, run: RunView) -> bool:
        """Whether what was said in this run is remembered: "summarise this" alone tells nothing."""
        tells = not (run.context.files and is_asked(run.goal))
        return self.enabled and run.owner == PERSON and MAIN_SPACE in run.spaces and tells

    async def keep(self, journal: Journal) -> str:
        """Remember what was said; why it could not be, or nothing."""
        if not self.keeps(journal.run):
            return ""
        # A write, but one that may be done again: memory knows the run by its id.
        record = await journal.step("remember", "", lambda: self._store(journal.run))
        return str(record["problem"])

    async def _store(self, run: RunView) -> dict[str, Any]:
        episode = NewEpisode(
            external_id=run.id,
            source=PERSON,
            session=run.thread_id or run.id,
            speaker="me",
            occurred_at=self._now(),
            text=run.goal,
            origin="turn",
            sensitivity=LOCAL_ONLY if run.local_only else "normal",
        )
        batch = EpisodeBatch(space=MAIN_SPACE, episodes=[episode])
        try:
            stored = await self._remember(batch, spaces=run.spaces, thread_id=run.thread_id, door=run.door)
        except HearthError as error:
            return {"ids": [], "problem": f"This could not be remembered: {error}"}
        return {"ids": list(stored.ids), "problem": ""}
