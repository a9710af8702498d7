"""What would leave this machine for an answer, shown before anything is sent."""

from pydantic import Field

from hearth_shared.protocol.base import Identifier, Json, Message, Request, Text
from hearth_shared.protocol.models import Where
from hearth_shared.protocol.tasks import TaskContext


class OutgoingRequest(Request):
    """A question as it would be asked."""

    text: Text = Field(min_length=1)
    context: TaskContext = Field(default_factory=TaskContext)
    thread_id: Identifier | None = Field(default=None, description="the thread it would be asked in")
    local_only: bool = False


class OutgoingCall(Message):
    """One model that would be asked, or asked next when those before it fail."""

    model: str
    provider: str
    where: Where
    url: str = Field(default="", description="empty for a model on this machine: nothing leaves")
    body: Json | None = Field(default=None, description="exactly what would be sent there")
    hidden: list[str] = Field(default=[], description="marks in it that stand for secrets and personal data")


class Outgoing(Message):
    """The first call to a model that a question leads to, for each model in turn. `notes` tell what was left out."""

    calls: list[OutgoingCall]
    notes: list[str] = []
