"""What is kept, and how it is found again."""

from typing import Literal

from pydantic import AwareDatetime, Field

from hearth_shared.protocol.base import Message, Request, Space, Text
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
    """Episodes to forget. `dry_run` lists what would go and changes nothing."""

    ids: list[str] = Field(min_length=1, max_length=256)
    dry_run: bool = False


class Forgotten(Message):
    """What went, or would go."""

    episodes: list[Episode]
    vectors: int
    facts: int = 0
    dry_run: bool
