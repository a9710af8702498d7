"""Rows of the database as the values they mean."""

import json
from typing import Any

from hearth_backend.storage.driver import Row
from hearth_shared.protocol.approvals import Approval
from hearth_shared.protocol.tasks import (
    Answer,
    Budget,
    Delivery,
    Failure,
    Lane,
    Routed,
    RunStatus,
    Step,
    Task,
    TaskDetail,
)
from hearth_shared.protocol.threads import Thread, ThreadMessage


def task(row: Row) -> Task:
    """A task in a list."""
    return Task(**_task_fields(row))


def task_detail(row: Row) -> TaskDetail:
    """A task with its steps and what else belongs to it, which came as JSON texts."""
    return TaskDetail(
        **_task_fields(row),
        steps=[Step(**step) for step in json.loads(row["steps"])],
        budget=Budget.model_validate_json(row["budget"]),
        routed=Routed.model_validate_json(row["routed"]) if row["routed"] else None,
        children=json.loads(row["children"]),
        webhook=Delivery.model_validate_json(row["webhook"]) if row["webhook"] else None,
    )


def _task_fields(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "agent_id": row["agent_id"],
        "thread_id": row["thread_id"],
        "goal": row["goal"],
        "status": RunStatus(row["status"]),
        "lane": Lane(row["lane"]),
        "priority": row["priority"],
        "door": row["door"],
        "local_only": bool(row["local_only"]),
        "attempt": row["attempt"],
        "created_at": row["created_at"],
        "started_at": row["started_at"],
        "finished_at": row["finished_at"],
        "deadline_at": row["deadline_at"],
        "answer": Answer.model_validate_json(row["answer"]) if row["answer"] else None,
        "failure": Failure.model_validate_json(row["failure"]) if row["failure"] else None,
        "parent_id": row["parent_id"],
        "not_before": row["not_before"] if row["status"] == RunStatus.QUEUED else None,
    }


def thread(row: Row) -> Thread:
    """A thread without its turns."""
    return Thread(**thread_fields(row))


def thread_fields(row: Row) -> dict[str, Any]:
    """What a thread and a thread with its turns have in common."""
    return {
        "id": row["id"],
        "title": row["title"],
        "agent_id": row["agent_id"],
        "door": row["door"],
        "local_only": bool(row["local_only"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "version": row["version"],
    }


def message(row: Row) -> ThreadMessage:
    """One turn; an answer's sources and origin are kept beside its text."""
    answer = Answer.model_validate_json(row["answer"]) if row["answer"] else None
    return ThreadMessage(
        id=row["id"],
        role=row["role"],
        text=row["text"],
        run_id=row["run_id"],
        created_at=row["created_at"],
        sources=answer.sources if answer else [],
        made_by=answer.made_by if answer else None,
        complete=answer.complete if answer else True,
        local_only=bool(row["local_only"]) or (answer is not None and answer.local_only),
        feedback=row["rating"],
    )


def approval(row: Row) -> Approval:
    """One approval."""
    return Approval(
        id=row["id"],
        run_id=row["run_id"],
        thread_id=row["thread_id"],
        agent_id=row["agent_id"],
        door=row["door"],
        tool=row["tool"],
        args=json.loads(row["args"]),
        sha256=row["sha256"],
        kind=row["kind"],
        why=row["why"],
        reach=json.loads(row["reach"]),
        paths=json.loads(row["paths"]),
        preview=row["preview"],
        undo=row["undo"],
        quotes=json.loads(row["quotes"]),
        status=row["status"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        decision=row["decision"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        decided_args=json.loads(row["decided_args"]) if row["decided_args"] else None,
        text=row["text"],
        remember=row["remember"],
        used_at=row["used_at"],
    )
