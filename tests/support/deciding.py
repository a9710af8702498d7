"""A backend whose agent asks to write files in a granted folder, for tests of who may decide.

with deciding(folder) as desk:
    task_id, approval_id = desk.asks("write_file", path="a.txt", text="Done")
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.backend import Backend, running
from support.provider import tool_call, words
from support.scripted_server import Scripted

GRANT = "/v1/clients/editors"


@dataclass
class Deciding:
    """A backend whose agent asks to write files, again and again."""

    backend: Backend
    model: Scripted
    folder: Path

    def asks(self, tool: str, **arguments: Any) -> tuple[str, str]:
        """A task that waits for the person, and the approval that it waits for."""
        self.model.does(tool_call(tool, json.dumps(arguments)), words("I am through."))
        tray = self.backend.door("tray")
        task_id = tray.post("/v1/agents/coder/tasks", json={"goal": "Write."}).json()["task_id"]
        self.wait(task_id, "approval.requested")
        pending = tray.get("/v1/approvals?status=pending").json()["approvals"]
        return task_id, next(one["id"] for one in pending if one["run_id"] == task_id)

    def wait(self, task_id: str, kind: str) -> None:
        """Until such an event of a task has come."""
        with self.backend.door("tray").stream("GET", f"/v1/tasks/{task_id}/events") as events:
            assert any(line == f"event: {kind}" for line in events.iter_lines())

    def grant(self, days: float = 1) -> str:
        """The person lets editors decide; the grant's id."""
        made = self.backend.door("cli").post(GRANT, json={"days": days})
        assert made.status_code == 201, made.text
        return made.json()["id"]

    def revoke(self, grant: str) -> None:
        """And takes it back."""
        assert self.backend.door("cli").delete(f"/v1/clients/{grant}").status_code == 200

    def status(self, approval_id: str) -> str:
        """How an approval stands."""
        return self.backend.door("tray").get(f"/v1/approvals/{approval_id}").json()["status"]


@contextmanager
def deciding(folder: Path) -> Generator[Deciding]:
    """With a granted folder beside the home."""
    granted = folder / "granted"
    granted.mkdir()
    with Scripted() as model:
        config = f'[tools]\nroots = "{granted}"\n{model.config}'
        with running(folder / "home", config) as backend:
            yield Deciding(backend, model, granted)
