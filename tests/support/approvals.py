"""An approval as the wire has it, for those that show it."""

from typing import Any

from hearth_shared.wire import Approval

NOW = 1_000_000.0


def approval(**changes: Any) -> Approval:
    """One that waits, with some fields changed."""
    made: Approval = {
        "id": "apr_1",
        "run_id": "run_1",
        "thread_id": None,
        "agent_id": "assistant",
        "door": "cli",
        "tool": "write_file",
        "args": {"path": "a.txt"},
        "sha256": "ab" * 32,
        "kind": "act",
        "why": "no rule allows it",
        "reach": ["this folder"],
        "paths": [],
        "preview": "",
        "undo": "The old file comes back.",
        "quotes": [],
        "status": "pending",
        "created_at": NOW - 120,
        "expires_at": NOW + 7 * 86_400,
        "decision": None,
        "decided_by": None,
        "decided_at": None,
        "decided_args": None,
        "text": None,
        "remember": "once",
        "used_at": None,
    }
    made.update(changes)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return made
