"""The answers to ids that are wrong, or somebody else's: the two look the same."""

from hearth_shared.errors import NotFound


def no_agent(agent_id: str) -> NotFound:
    """There is no such profile."""
    return NotFound(f"There is no agent {agent_id}.", "`GET /v1/agents` shows them; `auto` lets Hearth choose.")


def no_task(task_id: str) -> NotFound:
    """There is no such task for this requester."""
    return NotFound(f"There is no task {task_id}.", "`hearth tasks list` shows them.")


def no_thread(thread_id: str) -> NotFound:
    """There is no such thread for this requester."""
    return NotFound(f"There is no thread {thread_id}.", "Check its id; leave it out for a new thread.")


def no_answer(message_id: str) -> NotFound:
    """There is no such answer in the thread."""
    return NotFound(f"There is no answer {message_id} in this thread.", "Check its id.")


def no_approval(approval_id: str) -> NotFound:
    """There is no such approval for this requester."""
    return NotFound(f"There is no approval {approval_id}.", "`hearth approvals list` shows them.")
