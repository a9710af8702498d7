"""Answers kept for the programs that asked for them, each with what it answered."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.errors import BadRequest, NotFound
from hearth_shared.protocol.base import Json

KEEP_S = 30 * 86_400.0
_LONGEST_CHAIN = 1000


@dataclass(frozen=True, slots=True)
class KeptResponse:
    """`input` are the items of this turn alone; `previous` is the id of the turn before."""

    id: str
    previous: str | None
    input: Sequence[Json]
    answer: Json


class Responses:
    """By id and owner: nobody sees another's. Kept for `KEEP_S`, as OpenAI does."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def keep(self, owner: str, response: KeptResponse) -> None:
        """Store one; what has gone beyond its time goes with the same commit."""
        asked, answer = (json.dumps(value, ensure_ascii=False) for value in (response.input, response.answer))
        now = self._clock()
        row = (response.id, owner, response.previous, now, asked, answer)

        def store(connection: Connection) -> None:
            connection.execute("delete from response where created_at < ?", (now - KEEP_S,))
            connection.execute(
                "insert into response(id, owner, previous, created_at, input, answer) values (?, ?, ?, ?, ?, ?)", row
            )

        await self._database.write(store)

    async def get(self, owner: str, id: str) -> KeptResponse:
        """Raises NotFound."""
        rows = await self._database.fetch(
            "select id, previous, input, answer from response where id = ? and owner = ? and created_at >= ?",
            (id, owner, self._clock() - KEEP_S),
        )
        if not rows:
            raise NotFound(
                f"There is no response `{id[:80]}`.",
                "It was not stored, was deleted, or is older than 30 days: send the whole conversation.",
                field="response_id",
            )
        return _kept(rows[0])

    async def remove(self, owner: str, id: str) -> None:
        """Raises NotFound. What went on from it keeps its own turn only."""
        await self.get(owner, id)
        await self._database.execute("delete from response where id = ? and owner = ?", (id, owner))

    async def conversation(self, owner: str, id: str) -> list[Json]:
        """All items up to and with this response, the oldest first. Raises NotFound, BadRequest when it is endless."""
        turns: list[KeptResponse] = []
        following: str | None = id
        while following is not None:
            if len(turns) == _LONGEST_CHAIN:
                detail = f"This conversation has more than {_LONGEST_CHAIN} turns."
                raise BadRequest(detail, "Begin anew.", field="previous_response_id")
            turns.append(await self.get(owner, following))
            following = turns[-1].previous
        return [item for turn in reversed(turns) for item in (*turn.input, *turn.answer["output"])]


def _kept(row: Row) -> KeptResponse:
    return KeptResponse(row["id"], row["previous"], json.loads(row["input"]), json.loads(row["answer"]))
