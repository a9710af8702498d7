"""What episodes say of somebody or something, as values that can be written down and put back."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from hearth_backend.memory import facts_store, keeping_store
from hearth_backend.memory.facts_store import Claim
from hearth_backend.storage.driver import Connection


def record(claim: Claim, names: Mapping[int, str]) -> dict[str, Any]:
    """A claim; its episode is named by id."""
    episode = None if claim.episode is None else names[claim.episode]
    return {**asdict(claim), "episode": episode, "span": list(claim.span)}


def put(connection: Connection, records: Iterable[Mapping[str, Any]]) -> int:
    """Put claims back whose episode is there, or which need none; how many."""
    given = list(records)
    rowids = keeping_store.placed(connection, {one["episode"] for one in given if one["episode"] is not None})
    count = 0
    for one in given:
        rowid = None if one["episode"] is None else rowids.get((one["space"], one["episode"]))
        if rowid is not None or one["episode"] is None:
            plain: dict[str, Any] = {**one, "episode": rowid, "span": tuple(one["span"])}
            facts_store.put(connection, Claim(**plain))
            count += 1
    return count
