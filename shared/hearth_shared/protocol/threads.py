"""Conversations, shared by all doors."""

from typing import Literal

from pydantic import Field

from hearth_shared.protocol.base import Message, Request, Seconds, Text
from hearth_shared.protocol.tasks import MadeBy, RunStatus, Source, TaskContext


class ThreadRequest(Request):
    """A new thread."""

    title: str = Field(default="", max_length=200)
    agent_id: str = Field(default="assistant", max_length=64)
    local_only: bool = False


class MessageRequest(Request):
    """Something the person says in a thread."""

    text: Text = Field(min_length=1)
    context: TaskContext = Field(default_factory=TaskContext)
    local_only: bool = False
    deadline_s: float | None = Field(default=None, gt=0, le=86_400)
    version: int | None = Field(default=None, ge=1, description="of the thread as you saw it; 409 when it has gone on")


class FeedbackRequest(Request):
    """A person's rating of one answer."""

    message_id: str = Field(max_length=128)
    rating: Literal["good", "bad"]
    note: str = Field(default="", max_length=4000)


class ThreadMessage(Message):
    """One turn."""

    id: str
    role: Literal["user", "assistant"]
    text: str
    run_id: str | None = None
    created_at: Seconds
    sources: list[Source] = []
    made_by: MadeBy | None = None
    complete: bool = True
    local_only: bool = Field(default=False, description="it may not be laid before a model of another machine")
    feedback: Literal["good", "bad"] | None = None


class Thread(Message):
    """A conversation without its turns."""

    id: str
    title: str
    agent_id: str
    door: str
    local_only: bool = False
    created_at: Seconds
    updated_at: Seconds
    version: int = Field(default=1, description="grows with everything that is said")


class ThreadDetail(Thread):
    """A conversation with its turns, oldest first."""

    messages: list[ThreadMessage] = []


class ThreadList(Message):
    """Last used first; `next` continues the list."""

    threads: list[Thread]
    next: str | None = None


class WorkingRequest(Request):
    """What is worked on in a thread, set by a door that has seen it at this version."""

    version: int = Field(ge=1, description="of the thread as you saw it; 409 with both versions when it has gone on")
    task: str = Field(max_length=2000, description="what is worked on; empty takes it away")


class WorkingTask(Message):
    """What a door said is worked on; it is kept for an hour after it was set or used last."""

    text: str
    door: str
    at: Seconds
    expires_at: Seconds


class WorkingRun(Message):
    """The task that is being done, or the last one, when it came to no end."""

    run_id: str
    goal: str
    status: RunStatus
    problem: str = ""
    at: Seconds


class WorkingTurn(Message):
    """A turn of the last hour."""

    id: str
    role: Literal["user", "assistant"]
    text: str
    run_id: str | None = None
    at: Seconds


class WorkingResult(Message):
    """What a tool gave within the last hour; a long one without its middle."""

    id: str
    run_id: str
    tool: str
    text: str
    characters: int = Field(description="how long it is as a whole")
    trusted: bool
    local_only: bool = False
    at: Seconds


class WorkingMemory(Message):
    """What a thread has at hand, read from its journal: nothing of it can be lost, and forgetting cleans it."""

    thread_id: str
    version: int = Field(description="the thread's; it grows with everything that is said, and when the task is set")
    task: WorkingTask | None = None
    run: WorkingRun | None = None
    turns: list[WorkingTurn] = Field(default=[], description="oldest first")
    results: list[WorkingResult] = Field(default=[], description="newest first")
