"""What a door may be given of memory: not what the person said no to there, and to a program nothing that is to stay
on this machine, for where it carries it nobody knows."""

from collections.abc import Callable, Mapping
from typing import Final

from hearth_shared.protocol.context import Level
from hearth_shared.protocol.principals import Door
from hearth_shared.protocol.tasks import Source
from hearth_shared.sites import site_of, with_wider

LOCAL_ONLY: Final = "local only"


class Permits:
    """`decisions` are the person's, by site, for one door."""

    def __init__(self, decisions: Callable[[str], Mapping[str, Level]]) -> None:
        self._decisions = decisions

    def may(self, door: str, address: str, sensitivity: str) -> bool:
        """Whether this door may be given a memory from this address."""
        if sensitivity == LOCAL_ONLY and door == Door.HTTP:
            return False
        site = site_of(address)
        if not site:
            return True
        decisions = self._decisions(door)
        nearest = next((decisions[wider] for wider in with_wider(site) if wider in decisions), None)
        return nearest != "off"

    def source(self, door: str, source: Source) -> bool:
        """The same for a passage that an answer may quote."""
        return source.kind != "memory" or self.may(door, source.url, LOCAL_ONLY if source.local_only else "normal")
