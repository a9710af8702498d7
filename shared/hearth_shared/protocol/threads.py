"""Conversations, shared by all doors."""

from typing import Literal

from pydantic import Field

from hearth_shared.protocol.base import Message, Request, Seconds, Text
from hearth_shared.protocol.tasks import MadeBy, Source, TaskContext


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
