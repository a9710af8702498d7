"""What is kept, and how it is found again."""

from typing import Literal

from pydantic import AwareDatetime, Field

from hearth_shared.protocol.base import Message, Request, Seconds, Space, Text
from hearth_shared.protocol.principals import MAIN_SPACE

Origin = Literal["turn", "note", "page", "file", "event"]
"""What an episode is: said in a thread, noted, a passage of a web page or of a file, or something an editor told."""
Sensitivity = Literal["normal", "local only"]
"""`local only` is never laid before a model that is not on this machine, nor given to another program."""


class NewEpisode(Request):
    """Something said, read or noted. Storing the same (source, external_id) in a space again changes nothing."""

    external_id: str = Field(min_length=1, max_length=256)
    source: str = Field(default="person", min_length=1, max_length=2048, description="for a page, its address")
    title: str = Field(default="", max_length=300, description="the page's title")
    session: str = Field(default="", max_length=256)
    speaker: str = Field(default="", max_length=128)
    occurred_at: AwareDatetime
    text: Text = Field(min_length=1)
    origin: Origin | None = Field(default=None, description="what it is; when left out, a page or a note by its source")
    project: str = Field(default="", max_length=256, description="the project it belongs to")
    sensitivity: Sensitivity = "normal"


class EpisodeBatch(Request):
    """Stored together, or not at all."""

    space: Space = MAIN_SPACE
    episodes: list[NewEpisode] = Field(min_length=1, max_length=256)


class StoredEpisodes(Message):
    """Ids in the order given; `new` counts those that were not there before."""

    ids: list[str]
    new: int


class Episode(Message):
    """One episode as it is kept."""

    id: str
    space: str
    external_id: str
    source: str
    title: str = ""
    session: str
    speaker: str
    occurred_at: AwareDatetime
    recorded_at: AwareDatetime
    text: str
    trusted: bool = True
    door: str = Field(default="", description="the door it came through; empty when that is not known")
    origin: Origin = "note"
    project: str = ""
    sensitivity: Sensitivity = "normal"


class EpisodeList(Message):
    """Newest first; `next` continues the list."""

    episodes: list[Episode]
    next: str | None = None


class SearchRequest(Request):
    """A question to memory. With `token_budget`, hits are cut to fit (characters / 4)."""

    space: Space = MAIN_SPACE
    query: str = Field(min_length=1, max_length=4000)
    k: int = Field(default=10, ge=1, le=200)
    token_budget: int | None = Field(default=None, ge=1, le=200_000)
    sources: list[str] | None = Field(default=None, max_length=64)
    sites: list[str] | None = Field(default=None, max_length=64, description="sites, each with all its parts")
    doors: list[str] | None = Field(default=None, max_length=16, description="doors that brought it")
    origins: list[Origin] | None = Field(default=None, max_length=8)
    projects: list[str] | None = Field(default=None, max_length=64)
    after: AwareDatetime | None = None
    before: AwareDatetime | None = None
    words_only: bool = Field(default=False, description="by its words alone, not by meaning")
    neighbours: int = Field(default=0, ge=0, le=5, description="turns to show on each side of a hit")


class Signals(Message):
    """Why a hit ranks where it does: each signal's weighted share of the score."""

    bm25: float = 0.0
    bm25_window: float = 0.0
    dense: float = 0.0
    dense_window: float = 0.0
    speaker: float = 0.0
    date: float = 0.0
    session: float = 0.0
    time: float = 0.0
    question: float = 0.0
    hop: float = 0.0


class Neighbour(Message):
    """A turn said just before or after a hit; `distance` is below zero for what came before."""

    id: str
    distance: int
    speaker: str
    text: str


class Hit(Message):
    """One found memory, with a sentence for each reason of its rank."""

    kind: Literal["episode"] = "episode"
    id: str
    space: str
    external_id: str
    source: str
    title: str = ""
    session: str
    speaker: str
    occurred_at: AwareDatetime
    text: str
    score: float
    signals: Signals
    why: list[str] = []
    neighbours: list[Neighbour] = []
    trusted: bool = True
    door: str = ""
    origin: Origin = "note"
    project: str = ""
    sensitivity: Sensitivity = "normal"


class SearchResult(Message):
    """Best first. `degraded` says once what was missing; `answered_by` says which way dense hits came."""

    results: list[Hit]
    degraded: list[str] = []
    answered_by: Literal["index", "exact", "words only"] = "exact"


class ForgetRequest(Request):
    """What to forget: episodes by id, or all that fit every selector given. `dry_run` says what would go and changes
    nothing; with `for_good` it cannot be brought back."""

    ids: list[str] = Field(default=[], max_length=256)
    thread_id: str | None = Field(default=None, min_length=1, max_length=128, description="all that was said in it")
    source: str | None = Field(default=None, min_length=1, max_length=2048, description="one source, such as a page")
    site: str | None = Field(default=None, min_length=1, max_length=256, description="a site with all its parts")
    project: str | None = Field(default=None, min_length=1, max_length=256)
    after: AwareDatetime | None = Field(default=None, description="from this time on")
    before: AwareDatetime | None = Field(default=None, description="up to this time")
    space: Space | None = Field(default=None, description="in this space alone; when left out, in all that may be seen")
    dry_run: bool = False
    for_good: bool = False


class Forgotten(Message):
    """What went, or would go. Of many episodes the newest are shown; `count` counts them all.

    Until `undo_until` all of it can be brought back by `undo_id`; then it is erased from everything but `backups`, the
    copies of the database made before, of which the last goes at `backups_until`.
    """

    episodes: list[Episode]
    vectors: int
    facts: int = 0
    dry_run: bool
    count: int = 0
    summaries: int = Field(default=0, description="lines of summaries that cite it")
    quotes: int = Field(default=0, description="tasks whose journal may quote it, and is cleaned of it")
    undo_id: str = ""
    undo_until: Seconds | None = None
    erased: bool = Field(default=False, description="it is gone from every file but the backups")
    backups: int = 0
    backups_until: Seconds | None = None


class RestoreRequest(Request):
    """What to bring back; without `undo_id`, what was forgotten last."""

    undo_id: str | None = Field(default=None, min_length=1, max_length=128)


class Restored(Message):
    """What is there again; `already` counts what had been stored anew meanwhile."""

    undo_id: str
    ids: list[str]
    facts: int = 0
    already: int = 0


class Undo(Message):
    """Something forgotten that can still be brought back."""

    undo_id: str
    at: Seconds
    until: Seconds
    episodes: int


class UndoList(Message):
    """Newest first."""

    forgotten: list[Undo]


class Kept(Message):
    """What the settings say of one kind, site or source, and when the next memory of it goes."""

    rule: str
    days: float
    episodes: int
    next_at: Seconds | None = None


class Went(Message):
    """Memories whose time was over."""

    rule: str
    at: Seconds
    episodes: int


class RetentionReport(Message):
    """How long memories are kept, and what went since Hearth was started, newest first."""

    rules: list[Kept]
    went: list[Went]
