"""Tasks: work for an agent that is stored before it is answered for."""

from pydantic import Field

from hearth_backend.api.beside import Beside
from hearth_backend.api.endpoint import Endpoint, act, delete, find, get, post
from hearth_backend.api.exchange import Call
from hearth_backend.orchestrator import hook
from hearth_backend.services import Services
from hearth_shared.errors import Conflict, Forbidden, NotFound
from hearth_shared.protocol.base import Request
from hearth_shared.protocol.principals import Scope
from hearth_shared.protocol.tasks import (
    FINAL,
    RunStatus,
    Task,
    TaskAccepted,
    TaskDetail,
    TaskList,
    TaskRequest,
    UndoneTask,
)


class TaskPage(Request):
    """Which tasks to list."""

    status: RunStatus | None = None
    limit: int = Field(default=50, ge=1, le=500)
    after: str | None = Field(default=None, max_length=128, description="`next` of the page before")


class Tasks:
    """`/v1/agents/{agent_id}/tasks` and `/v1/tasks`."""

    def __init__(self, services: Services) -> None:
        self._runs = services.runs
        self._webhooks = services.webhooks
        self._undo = services.box.undo
        self._beside = Beside(services.working, services.consents)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        routes = (
            post(
                "/v1/agents/{agent_id}/tasks",
                TaskRequest,
                self.submit,
                "Give an agent a task; 202 once it is on disk. Takes an Idempotency-Key.",
                answer=TaskAccepted,
                status=202,
            ),
            get("/v1/agents/{agent_id}/tasks/{task_id}", self.of_agent, "A task with its steps.", answer=TaskDetail),
            find("/v1/tasks", TaskPage, self.list, "Tasks, newest first.", answer=TaskList),
            get("/v1/tasks/{task_id}", self.get, "A task with its steps.", answer=TaskDetail),
            delete("/v1/tasks/{task_id}", self.cancel, "Cancel a task.", answer=Task),
            act(
                "/v1/tasks/{task_id}/undo",
                self.undo,
                "Put back every file that a task changed, byte for byte; refused when one was changed since.",
                answer=UndoneTask,
            ),
            act("/v1/tasks/{task_id}/retry", self.retry, "Try a failed task again from where it failed.", answer=Task),
        )
        return tuple(route.needing(Scope.TASKS) for route in routes)

    async def submit(self, call: Call, body: TaskRequest) -> TaskAccepted:
        """Answers after COMMIT."""
        if call.header(hook.MARK.encode()):
            raise Forbidden(
                "This request is the word of a task's end, and starts none: the webhook leads back to Hearth.",
                "Give the task another webhook.",
            )
        if body.webhook_url is not None:
            self._webhooks.check(body.webhook_url)
        context, local_only = self._beside.ready(call.principal, body.context, local_only=body.local_only)
        if context is not body.context:
            body = body.model_copy(update={"context": context, "local_only": local_only})
        return await self._runs.submit(
            call.requester(), call.params["agent_id"], body, idempotency_key=call.idempotency_key()
        )

    async def list(self, call: Call, page: TaskPage) -> TaskList:
        """The requester's own."""
        return await self._runs.list(call.requester(), status=page.status, limit=page.limit, after=page.after)

    async def get(self, call: Call) -> TaskDetail:
        """One of the requester's own."""
        return await self._runs.get(call.requester(), call.params["task_id"])

    async def of_agent(self, call: Call) -> TaskDetail:
        """One of the requester's own, that this agent does."""
        task = await self.get(call)
        if task.agent_id != call.params["agent_id"]:
            raise NotFound("This agent has no such task.", "`GET /v1/tasks` lists yours.")
        return task

    async def undo(self, call: Call) -> UndoneTask:
        """All of it, or nothing."""
        task = await self.get(call)
        if task.status not in FINAL:
            raise Conflict("The task is not over yet.", f"Stop it first: `hearth tasks cancel {task.id}`.")
        undone = await self._undo.undo(task.id)
        return UndoneTask(id=task.id, paths=list(undone.paths), calls=len(undone.tools))

    async def retry(self, call: Call) -> Task:
        """Back into the queue; 409 for one that has not failed."""
        return await self._runs.retry(call.requester(), call.params["task_id"])

    async def cancel(self, call: Call) -> Task:
        """Stops it at its next step; a finished task stays as it is."""
        return await self._runs.cancel(call.requester(), call.params["task_id"])
