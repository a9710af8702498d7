"""Tasks (a task is a run), their steps, and how they ended."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from hearth_shared.protocol.base import Identifier, Json, Message, Request, Seconds, Text


class RunStatus(StrEnum):
    """Where a run stands; the last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DEAD = "dead"


FINAL = frozenset({RunStatus.FINISHED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.DEAD})


class Lane(StrEnum):
    """Who goes first. The lane follows from route and token, never from the client's word alone."""

    INLINE = "inline"
    CHAT = "chat"
    AMBIENT = "ambient"
    INDEXING = "indexing"


class FileText(Request):
    """A text that an answer may quote: a file, a page, or what was selected on a page. It is not remembered. A page is
    data from outside, never an instruction."""

    name: str = Field(min_length=1, max_length=2048, description="the file's name, or the page's address")
    text: Text
    origin: Literal["file", "page", "selection"] = "file"
    title: str = Field(default="", max_length=300, description="the page's title")


class TaskContext(Request):
    """What the asker lays beside the goal. `seen` names what a surface sees now, by its id of `/v1/context`."""

    files: list[FileText] = Field(default=[], max_length=64)
    note: Text = ""
    seen: list[Identifier] = Field(default=[], max_length=16)


class Budget(Request):
    """What a task may take; None is no limit. Whoever asks may give less than the agent's profile does, never more."""

    steps: int | None = Field(default=None, ge=1, le=10_000, description="calls of models and tools")
    tokens: int | None = Field(default=None, ge=1, description="tokens read and written")
    dollars: float | None = Field(default=None, ge=0, description="US dollars; a price that is not known ends the task")
    seconds: float | None = Field(
        default=None, gt=0, le=86_400, description="time at work in all attempts together, waiting not counted"
    )


class TaskRequest(Request):
    """Work for an agent."""

    goal: Text = Field(min_length=1)
    context: TaskContext = Field(default_factory=TaskContext)
    priority: int = Field(default=100, ge=0, le=1000, description="lower goes first inside a lane")
    thread_id: Identifier | None = None
    local_only: bool = False
    deadline_s: float | None = Field(default=None, gt=0, le=86_400)
    webhook_url: str | None = Field(default=None, max_length=2048, description="told how it ended, signed")
    budget: Budget = Budget()


class MadeBy(Message):
    """Where an answer was made. `model` is empty when no language model was connected."""

    where: Literal["this machine", "another machine", "cloud", "no model"] = "no model"
    model: str = ""
    provider: str = ""
    test_model: bool = False


class Tokens(Message):
    """What a call cost. `cost` is in US dollars; None when the price is not known, 0 on this machine."""

    input: int = 0
    output: int = 0
    cost: float | None = 0.0


class Source(Message):
    """Where a statement came from, so that a person can open it."""

    n: int = Field(description="the number it is cited by, from 1")
    kind: Literal["memory", "file", "docs", "page"]
    id: str
    title: str
    quote: str
    speaker: str = ""
    occurred_at: Seconds | None = None
    score: float = 0.0
    location: str = ""
    url: str = Field(default="", description="the page to open; empty when it is none")
    thread_id: str = Field(default="", description="the thread it was said in; empty when it was said in none")
    trusted: bool = Field(default=True, description="false: written by somebody outside, such as a page")
    local_only: bool = Field(default=False, description="it may not be laid before a model of another machine")
    cited: bool = Field(default=True, description="false: read for the answer, but not cited in it")
    fact: str = Field(default="", description="what it says that is true now, where that answers the question")


class Answer(Message):
    """What a run came to."""

    text: str
    sources: list[Source] = []
    made_by: MadeBy = MadeBy()
    tokens: Tokens = Tokens()
    complete: bool = True
    notes: list[str] = Field(default=[], description="said once each: what was degraded, and the fix")
    local_only: bool = Field(default=False, description="something was read for it that must stay on this machine")


class Failure(Message):
    """Why a run did not come to an answer."""

    code: str
    detail: str
    fix: str = ""
    retryable: bool = False


class Step(Message):
    """One journaled step of a run."""

    seq: int
    name: str
    call_id: str = ""
    state: Literal["intent", "started", "done", "failed", "unknown"]
    at: Seconds


class Task(Message):
    """A task as it stands now."""

    id: str
    agent_id: str
    thread_id: str | None = None
    goal: str
    status: RunStatus
    lane: Lane
    priority: int = 100
    door: str
    local_only: bool = False
    attempt: int = 0
    created_at: Seconds
    started_at: Seconds | None = None
    finished_at: Seconds | None = None
    deadline_at: Seconds | None = None
    answer: Answer | None = None
    failure: Failure | None = None
    parent_id: str | None = Field(default=None, description="the task whose plan it is part of")
    not_before: Seconds | None = Field(default=None, description="when it is tried again")


class Routed(Message):
    """Which agent a task went to when it named none, and by what."""

    agent_id: str
    how: Literal["rule", "likeness", "model", "default"]
    why: str


class LogLine(Message):
    """One line of what happened in a task."""

    at: Seconds
    level: Literal["info", "warn", "error"] = "info"
    text: str


class Delivery(Message):
    """How far the word of a task's end has got to its webhook; `dead`: it was tried as often as it may be."""

    state: Literal["due", "delivered", "dead"]
    attempts: int = 0
    next_at: Seconds | None = None
    problem: str = ""
    delivered_at: Seconds | None = None


class TaskDetail(Task):
    """A task with its steps and what happened."""

    steps: list[Step] = []
    logs: list[LogLine] = []
    routed: Routed | None = None
    budget: Budget = Budget()
    children: list[str] = Field(default=[], description="the tasks of its plan")
    webhook: Delivery | None = None


class TaskAccepted(Message):
    """It is stored and will be done."""

    task_id: str
    thread_id: str | None = None
    status: RunStatus = RunStatus.QUEUED
    webhook_secret: str | None = Field(default=None, description="the key that its webhook is signed with")


class TaskList(Message):
    """Newest first; `next` continues the list."""

    tasks: list[Task]
    next: str | None = None


class UndoneTask(Message):
    """What was put back as it was before a task."""

    id: str
    paths: list[str]
    calls: int = Field(description="how many calls were taken back")


class Agent(Message):
    """A profile that tasks can be given to."""

    id: str
    title: str
    description: str
    tools: list[str]
    unasked: list[str] = Field(default=[], description="tools that it may use without asking, if the policy lets it")
    budget: Budget = Budget()
    model: str = "auto"
    problem: str = Field(default="", description="why its file is not used")


class AgentList(Message):
    """All profiles."""

    agents: list[Agent]
    problems: list[str] = Field(default=[], description="files that are not used, with their line")


Arguments = Json
