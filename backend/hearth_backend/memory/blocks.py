"""Pinned blocks: a few lines of the person's own that are laid before the model every time. Never made from a text that
was read: only a person at a door of theirs writes them."""

import math
from collections.abc import Callable, Collection, Sequence
from typing import Final

from hearth_backend.memory import block_store
from hearth_backend.memory.block_store import Written
from hearth_backend.memory.facts import check_space
from hearth_backend.memory.store import moment
from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Connection, Row
from hearth_shared.errors import BadRequest, Conflict, NotFound
from hearth_shared.protocol.facts import Block, BlockList, BlockRequest

MOST: Final = 16
"""Blocks of a space: what is always there must stay small."""


class Blocks:
    """`spaces` in every call are those the asker may see."""

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def list(self, space: str, spaces: Collection[str]) -> BlockList:
        """A space's blocks, by label."""
        check_space(space, spaces)
        rows = await self._database.read(lambda connection: block_store.listed(connection, space))
        return BlockList(blocks=[_block(row) for row in rows])

    async def history(self, space: str, label: str, spaces: Collection[str]) -> BlockList:
        """Every version of one, the newest first."""
        check_space(space, spaces)
        rows = await self._database.read(lambda connection: block_store.history(connection, space, label))
        if not rows:
            raise _missing(label)
        return BlockList(blocks=[_block(row) for row in rows])

    async def put(self, label: str, request: BlockRequest, spaces: Collection[str], *, by: str) -> Block:
        """Write a block. Raises Conflict when another version was written since the one that was read."""
        check_space(request.space, spaces)
        needed = tokens_of(request.text)
        if needed > request.token_limit:
            raise BadRequest(
                f"The block has about {needed} tokens; {request.token_limit} fit.",
                "Shorten it, or raise `token_limit`.",
            )
        now = self._clock()
        return await self._database.write(lambda connection: _put(connection, label, request, now, by))

    async def delete(self, space: str, label: str, spaces: Collection[str]) -> Block:
        """Take one out, with its history."""
        check_space(space, spaces)

        def work(connection: Connection) -> Block:
            row = block_store.get(connection, space, label)
            if row is None:
                raise _missing(label)
            block_store.delete(connection, space, label)
            return _block(row)

        return await self._database.write(work)

    async def pinned(self, spaces: Collection[str]) -> Sequence[Block]:
        """The blocks of all these spaces that say something, for the start of a prompt."""

        def work(connection: Connection) -> Sequence[Row]:
            return [row for space in sorted(spaces) for row in block_store.listed(connection, space)]

        return [_block(row) for row in await self._database.read(work) if row["text"].strip()]


def tokens_of(text: str) -> int:
    """A guess for any model, on the safe side: four characters to a token, and 15 % more."""
    return math.ceil(len(text) / 4 * 1.15)


def _put(connection: Connection, label: str, request: BlockRequest, now: float, by: str) -> Block:
    before = block_store.get(connection, request.space, label)
    version = 0 if before is None else before["version"]
    if request.version is not None and request.version != version:
        raise Conflict(
            f"The block `{label}` is at version {version}, not {request.version}.", "Read it again, then write."
        )
    if before is None and len(block_store.listed(connection, request.space)) >= MOST:
        raise BadRequest(f"There are {MOST} blocks already, as many as there may be.", "Delete one first.")
    new = Written(request.space, label, request.text, request.token_limit, version + 1, now, by)
    block_store.put(connection, new)
    return Block(
        space=new.space,
        label=label,
        text=new.text,
        token_limit=new.token_limit,
        version=new.version,
        changed_at=moment(now),
        changed_by=by,
    )


def _missing(label: str) -> NotFound:
    return NotFound(f"There is no block `{label}` here.", "GET /v1/memory/blocks lists them.")


def _block(row: Row) -> Block:
    plain = ("space", "label", "text", "token_limit", "version", "changed_by")
    return Block(**{name: row[name] for name in plain}, changed_at=moment(row["changed_at"]))
