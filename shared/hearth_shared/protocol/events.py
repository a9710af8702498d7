"""What happened, in commit order."""

from enum import StrEnum

from hearth_shared.protocol.base import Json, Message, Seconds


class EventType(StrEnum):
    """Every kind of event the core emits. `data` by type stands in docs/events.md."""

    TASK_QUEUED = "task.queued"
    TASK_STARTED = "task.started"
    TASK_FINISHED = "task.finished"
    TASK_FAILED = "task.failed"
    TASK_CANCELLED = "task.cancelled"
    STEP_STARTED = "step.started"
    STEP_FINISHED = "step.finished"
    TEXT_DELTA = "text.delta"
    REASONING_DELTA = "reasoning.delta"
    TEXT_RESET = "text.reset"
    TEXT_SEAM = "text.seam"
    TOOL_CALLED = "tool.called"
    TOOL_FINISHED = "tool.finished"
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_DECIDED = "approval.decided"
    APPROVAL_EXPIRED = "approval.expired"
    AMBIENT_SUGGESTED = "ambient.suggested"
    MEMORY_RECALLED = "memory.recalled"
    MEMORY_STORED = "memory.stored"
    MEMORY_FORGOTTEN = "memory.forgotten"
    MODEL_LOADING = "model.loading"
    MODEL_READY = "model.ready"
    MODEL_FALLBACK = "model.fallback"
    DOWNLOAD_PROGRESS = "download.progress"
    USAGE_RECORDED = "usage.recorded"
    HEALTH_CHANGED = "health.changed"
    ALERT_RAISED = "alert.raised"


class Event(Message):
    """`seq` is one global counter in commit order: resume with `Last-Event-ID` or `after_seq`."""

    seq: int
    time: Seconds
    type: EventType
    run_id: str | None = None
    thread_id: str | None = None
    door: str = ""
    data: Json = {}


class EventGap(Message):
    """Sent to a reader that fell behind: read on from the event table after `seq`."""

    type: str = "gap"
    seq: int
