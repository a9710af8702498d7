"""What the person allows of a site: nothing, on request, or always."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from hearth_backend.storage.database import Database
from hearth_backend.storage.driver import Row
from hearth_shared.errors import NoConsent
from hearth_shared.protocol.context import Consent, ConsentList, Level
from hearth_shared.sites import named, site_of, with_wider

UNKNOWN: Level = "ask"


class Consents:
    """By door and subject. A part of a site follows the site unless it has a decision of its own."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def put(self, door: str, subject: str, level: Level) -> Consent:
        """Decide; a later decision replaces an earlier one."""
        consent = Consent(door=door, subject=named(subject), level=level, changed_at=self._clock())
        await self._database.execute(
            "insert into consent(door, subject, level, changed_at) values (?, ?, ?, ?)"
            " on conflict(door, subject) do update set level = excluded.level, changed_at = excluded.changed_at",
            (consent.door, consent.subject, consent.level, consent.changed_at),
        )
        return consent

    async def list(self, door: str | None, subject: str | None = None) -> ConsentList:
        """Decisions for a door, or for all; with a subject, what holds for it at that door."""
        rows = await self._database.fetch(
            "select door, subject, level, changed_at from consent where ?1 is null or door = ?1 order by door, subject",
            (door,),
        )
        level = None if subject is None or door is None else self.level(door, named(subject))
        return ConsentList(consents=[_consent(row) for row in rows], level=level)

    def decisions(self, door: str) -> Mapping[str, Level]:
        """All decisions for a door, by site."""
        row = self._database.peek(
            "select json_group_object(subject, level) as all_of_it from consent where door = ?", (door,)
        )
        return {} if row is None else json.loads(row["all_of_it"])

    def level(self, door: str, subject: str) -> Level:
        """What holds for a site: its own decision, else that of the nearest site it is part of."""
        sites = with_wider(subject)
        marks = ",".join("?" * len(sites))
        row = self._database.peek(
            f"select level from consent where door = ? and subject in ({marks}) order by length(subject) desc limit 1",
            (door, *sites),
        )
        return UNKNOWN if row is None else cast("Level", row["level"])

    def check(self, door: str, addresses: Iterable[str]) -> None:
        """Raises NoConsent when the person said no to the site of one of these pages."""
        for site in dict.fromkeys(map(site_of, addresses)):
            if site and self.level(door, site) == "off":
                raise NoConsent(
                    f"You said that nothing of {site} is read or kept.",
                    "Allow it in the extension's panel, or in Settings.",
                    subject=site,
                )

    def check_named(self, door: str, subjects: Iterable[str]) -> None:
        """Raises NoConsent when the person said no to one of these, such as a project, at this door."""
        decisions = self.decisions(door)
        for subject in dict.fromkeys(filter(None, subjects)):
            if decisions.get(named(subject)) == "off":
                raise NoConsent(
                    f"You said that nothing of {subject} is kept.", "Allow it in Settings.", subject=subject
                )


def _consent(row: Row) -> Consent:
    return Consent(door=row["door"], subject=row["subject"], level=row["level"], changed_at=row["changed_at"])
