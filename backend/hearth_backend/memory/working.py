"""What the person's surfaces see now: held in memory for an hour, never on disk, never embedded."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from hearth_backend import ids
from hearth_shared.errors import NotFound
from hearth_shared.protocol.context import Level, Seen, SeenList, SeenRequest

TTL_S: Final = 3600.0
_MOST: Final = 64
_MOST_CHARACTERS: Final = 4_000_000


class Working:
    """Of each kind a surface has one thing in view: the newest takes the older one's place. One timer, and none while
    nothing is held."""

    def __init__(self, *, clock: Callable[[], float] = time.time, ttl_s: float = TTL_S) -> None:
        self._clock = clock
        self._ttl_s = ttl_s
        self._held: dict[tuple[str, str, str], Seen] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def held(self) -> int:
        """How many things are held."""
        return len(self._held)

    @property
    def waits(self) -> bool:
        """Whether a timer runs."""
        return self._timer is not None

    def put(self, owner: str, principal: str, door: str, request: SeenRequest, consent: Level) -> Seen:
        """Hold what a surface sees; `principal` tells one browser from another."""
        now = self._clock()
        seen = Seen(
            **request.model_dump(),
            id=ids.new("seen"),
            door=door,
            consent=consent,
            at=now,
            expires_at=now + self._ttl_s,
        )
        self._held.pop((owner, principal, request.kind), None)
        self._held[owner, principal, request.kind] = seen
        self._make_room()
        self._plan()
        return seen

    def list(self, owner: str) -> SeenList:
        """The owner's, newest first."""
        self._drop_old()
        return SeenList(seen=[seen for (whose, *_), seen in reversed(self._held.items()) if whose == owner])

    def get(self, owner: str, wanted: Sequence[str]) -> Sequence[Seen]:
        """By id. Raises NotFound for one that is somebody else's, or held no more."""
        mine = {seen.id: seen for seen in self.list(owner).seen}
        if missing := [one for one in wanted if one not in mine]:
            raise NotFound(f"What `{missing[0]}` named is held no more.", "Show it again, and ask once more.")
        return [mine[one] for one in dict.fromkeys(wanted)]

    def forget(self, site: Callable[[Seen], bool]) -> None:
        """Drop what a later decision of the person's does not allow."""
        self._held = {key: seen for key, seen in self._held.items() if not site(seen)}

    def close(self) -> None:
        """Drop everything."""
        self._held.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _make_room(self) -> None:
        while len(self._held) > _MOST or sum(len(seen.text) for seen in self._held.values()) > _MOST_CHARACTERS:
            del self._held[next(iter(self._held))]

    def _plan(self) -> None:
        if self._timer is None and self._held:
            first = next(iter(self._held.values()))
            wait = max(0.0, first.expires_at - self._clock())
            self._timer = asyncio.get_running_loop().call_later(wait, self._later)

    def _later(self) -> None:
        self._timer = None
        self._drop_old()
        self._plan()

    def _drop_old(self) -> None:
        now = self._clock()
        self._held = {key: seen for key, seen in self._held.items() if seen.expires_at > now}
