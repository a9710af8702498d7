"""What is known, since when, and why: facts, what they are about, summaries and pinned blocks."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from hearth_shared.protocol.base import Message, Request, Space
from hearth_shared.protocol.principals import MAIN_SPACE

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
PredicateName = Annotated[
    str, StringConstraints(max_length=120, pattern=r"^[a-z][a-z0-9_]{0,40}(:[^\s:][^:\n]{0,60})?$")
]
Label = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9_.\-]*$")]


class Fact(Message):
    """A statement with validity: true from `valid_from` until `valid_to` (or still), known since `recorded_at`.

    `object_id` is there when the value is an entity. `superseded_by` names the fact that took its place.
    """

    id: str
    space: str
    subject: str
    subject_id: str
    predicate: str
    value: str
    object_id: str | None = None
    text: str = Field(description="the fact as a sentence")
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None = None
    recorded_at: AwareDatetime
    retracted_at: AwareDatetime | None = None
    superseded_by: str | None = None
    confidence: float = 1.0
    extractor: str = ""
    trusted: bool = True
    local_only: bool = Field(default=False, description="rests on a memory that must not leave this machine")


class FactList(Message):
    """The latest first."""

    facts: list[Fact]
    more: bool = False


class NewFact(Request):
    """A fact that the person adds. It rests on `text`, their own words for it; else on the statement itself."""

    space: Space = MAIN_SPACE
    subject: Name = "me"
    predicate: PredicateName
    value: Name
    valid_from: AwareDatetime | None = Field(default=None, description="when it began; without it, now")
    ends: bool = Field(default=False, description="what is told is that it ended then")
    text: str = Field(default="", max_length=4000)


class StoredFact(Message):
    """The fact, and what adding it did: `backfilled` is history that arrived late and displaced nothing."""

    fact: Fact
    outcome: Literal["added", "confirmed", "updated", "backfilled", "ended"]
    episode_id: str


class EndRequest(Request):
    """It is true no longer: since `at`, or now."""

    at: AwareDatetime | None = None


class RetractRequest(Request):
    """It was never true: an empty object says so."""


class Evidence(Message):
    """A memory that a fact rests on, and the words in it. Without an episode the person set the end by hand."""

    role: Literal["says", "ends"]
    quote: str
    episode_id: str | None = None
    span_start: int = 0
    span_end: int = 0
    speaker: str = ""
    source: str = ""
    occurred_at: AwareDatetime
    at: AwareDatetime = Field(description="from when, or until when, it says that the fact is true")
    recorded_at: AwareDatetime
    extractor: str = ""
    trusted: bool = True


class Why(Message):
    """Why a fact is believed; of a memory, the facts that rest on it."""

    facts: list[Fact]
    evidence: list[Evidence]


class Entity(Message):
    """Somebody or something that facts speak of. `distance` counts hops from where one looked."""

    id: str
    space: str
    kind: str
    name: str
    aliases: list[str] = []
    distance: int = 0
    weight: float = 0.0
    community: int | None = None


class Graph(Message):
    """Entities and the facts between them. `cut` says that there are more than are shown."""

    entities: list[Entity]
    facts: list[Fact] = []
    cut: bool = False


class PathFound(Message):
    """The shortest way between two entities, in order; empty when there is none within the hops."""

    entities: list[Entity]
    facts: list[Fact]


class PatternStep(Request):
    """One edge of a pattern: from `subject` by `predicate` to `value`; a name that begins with ? is unknown."""

    subject: Name
    predicate: PredicateName | None = None
    value: Name


class PatternRequest(Request):
    """Edges that must all hold at once, such as: ?who works_at Volvo, me friend ?who."""

    space: Space = MAIN_SPACE
    steps: list[PatternStep] = Field(min_length=1, max_length=6)
    at: AwareDatetime | None = None
    limit: int = Field(default=50, ge=1, le=200)


class PatternMatches(Message):
    """What each unknown may be, one answer after the other."""

    matches: list[dict[str, str]]
    cut: bool = False


class MergeRequest(Request):
    """Two entities are one: `gone`'s facts and names become those of `keep`. Names or ids."""

    space: Space = MAIN_SPACE
    keep: Name
    gone: Name
    kind: str = Field(default="thing", max_length=40)


class StructuredFile(Request):
    """A file of people, dates or rows to take facts from. Every fact cites the entry it comes from."""

    space: Space = MAIN_SPACE
    name: str = Field(min_length=1, max_length=255)
    kind: Literal["csv", "json", "vcard", "ics"] | None = Field(default=None, description="without it, by the name")
    text: str = Field(min_length=1, max_length=900_000)


class Filled(Message):
    """What a file came to; the same file again adds nothing."""

    entries: int
    facts: int
    skipped: list[str] = Field(default=[], description="entries that say nothing, with why; the first few")


class SummaryLine(Message):
    """One line, and the ids of the episodes it rests on."""

    text: str
    episodes: list[str]


class Summary(Message):
    """What a session or a week came to; each line cites episodes that exist."""

    id: str
    space: str
    level: Literal["session", "week"]
    key: str
    first_at: AwareDatetime
    last_at: AwareDatetime
    made_at: AwareDatetime
    maker: str
    lines: list[SummaryLine]


class SummaryList(Message):
    """The newest first."""

    summaries: list[Summary]


class Block(Message):
    """A few lines that are laid before the model in every answer, written by the person."""

    space: str
    label: str
    text: str
    token_limit: int
    version: int
    changed_at: AwareDatetime
    changed_by: str


class BlockList(Message):
    """By label; or one block's versions, the newest first."""

    blocks: list[Block]


class BlockRequest(Request):
    """A block's new text. `version` is the one that was read: another one has been written since means a conflict."""

    space: Space = MAIN_SPACE
    text: str = Field(max_length=16_000)
    token_limit: int = Field(default=500, ge=10, le=4000)
    version: int | None = Field(default=None, ge=0, description="0: it must be new; without it, whatever is there")
