"""Every route that the backend serves and the scopes that open it, written down once more by hand: a route that is
added, or whose scope changes, has to be added or changed here too."""

from dataclasses import dataclass

import httpx2

from hearth_shared.protocol.principals import Scope

Path = str
CHAT, COMPLETE, STATUS, TASKS = Scope.CHAT, Scope.COMPLETE, Scope.STATUS, Scope.TASKS


@dataclass(frozen=True)
class Route:
    """One route; `scopes` empty means open to all who reach the listener, or (`for_bridge`) to the bridge alone."""

    method: str
    path: Path
    scopes: frozenset[Scope]
    for_bridge: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def address(self) -> str:
        """The path with something in place of its parameters."""
        return self.path.replace("{agent_id}", "assistant").replace("{", "no-such-").replace("}", "")


def ask(client: httpx2.Client, route: Route) -> httpx2.Response:
    """One request; of an endless answer only its head is read."""
    body: dict[str, str] | None = {} if route.method in ("POST", "PUT") else None
    with client.stream(route.method, route.address, json=body) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()
        return answer


def _route(method: str, path: str, *scopes: Scope) -> Route:
    return Route(method, path, frozenset(scopes))


ROUTES = (
    _route("GET", "/healthz"),
    Route("POST", "/v1/pair", frozenset(), for_bridge=True),
    _route("GET", "/readyz", STATUS),
    _route("GET", "/metrics", STATUS),
    _route("GET", "/v1/status", STATUS),
    _route("GET", "/v1/doctor", STATUS),
    _route("GET", "/v1/openapi.json", STATUS),
    _route("GET", "/v1/agents", TASKS),
    _route("POST", "/v1/agents/{agent_id}/tasks", TASKS),
    _route("GET", "/v1/agents/{agent_id}/tasks/{task_id}", TASKS),
    _route("GET", "/v1/tasks", TASKS),
    _route("GET", "/v1/tasks/{task_id}", TASKS),
    _route("DELETE", "/v1/tasks/{task_id}", TASKS),
    _route("POST", "/v1/tasks/{task_id}/retry", TASKS),
    _route("POST", "/v1/tasks/{task_id}/undo", TASKS),
    _route("GET", "/v1/tasks/{task_id}/events", TASKS, CHAT),
    _route("GET", "/v1/events", TASKS, CHAT),
    _route("GET", "/v1/threads", CHAT),
    _route("POST", "/v1/threads", CHAT),
    _route("GET", "/v1/threads/{thread_id}", CHAT),
    _route("POST", "/v1/threads/{thread_id}/messages", CHAT),
    _route("POST", "/v1/threads/{thread_id}/feedback", CHAT),
    _route("POST", "/v1/outgoing", CHAT),
    _route("GET", "/v1/threads/{thread_id}/working", CHAT),
    _route("PUT", "/v1/threads/{thread_id}/working", CHAT),
    _route("POST", "/v1/complete", COMPLETE),
    _route("GET", "/v1/model-files", Scope.MODELS),
    _route("GET", "/v1/model-files/catalogue", Scope.MODELS),
    _route("POST", "/v1/model-files/plan", Scope.MODELS),
    _route("GET", "/v1/model-files/downloads", Scope.MODELS),
    _route("POST", "/v1/model-files/downloads", Scope.MODELS),
    _route("GET", "/v1/model-files/downloads/{id}", Scope.MODELS),
    _route("DELETE", "/v1/model-files/downloads/{id}", Scope.MODELS),
    _route("GET", "/v1/model-files/{model}", Scope.MODELS),
    _route("DELETE", "/v1/model-files/{model}", Scope.MODELS),
    _route("GET", "/v1/model-files/engine/builds", Scope.MODELS),
    _route("POST", "/v1/model-files/engine/installations", Scope.MODELS),
    _route("GET", "/v1/model-files/engine/installations/{id}", Scope.MODELS),
    _route("DELETE", "/v1/model-files/engine/installations/{id}", Scope.MODELS),
    _route("GET", "/v1/approvals", Scope.APPROVALS_READ),
    _route("GET", "/v1/approvals/{approval_id}", Scope.APPROVALS_READ),
    _route("POST", "/v1/approvals/{approval_id}", Scope.APPROVALS_DECIDE),
    _route("GET", "/v1/approvals/rules", Scope.APPROVALS_DECIDE),
    _route("POST", "/v1/approvals/rules/{rule_id}", Scope.APPROVALS_DECIDE),
    _route("DELETE", "/v1/approvals/rules/{rule_id}", Scope.APPROVALS_DECIDE),
    _route("GET", "/v1/memory/episodes", Scope.MEMORY_READ),
    _route("POST", "/v1/memory/episodes", Scope.MEMORY_WRITE),
    _route("GET", "/v1/memory/search", Scope.MEMORY_READ),
    _route("POST", "/v1/memory/search", Scope.MEMORY_READ),
    _route("POST", "/v1/memory/forget", Scope.MEMORY_WRITE),
    _route("GET", "/v1/memory/facts", Scope.MEMORY_READ),
    _route("POST", "/v1/memory/facts", Scope.MEMORY_WRITE),
    _route("POST", "/v1/memory/facts/{fact_id}/end", Scope.MEMORY_WRITE),
    _route("POST", "/v1/memory/facts/{fact_id}/retract", Scope.MEMORY_WRITE),
    _route("GET", "/v1/memory/why", Scope.MEMORY_READ),
    _route("GET", "/v1/memory/summaries", Scope.MEMORY_READ),
    _route("GET", "/v1/memory/graph", Scope.MEMORY_READ),
    _route("GET", "/v1/memory/graph/path", Scope.MEMORY_READ),
    _route("POST", "/v1/memory/graph/pattern", Scope.MEMORY_READ),
    _route("GET", "/v1/memory/graph/central", Scope.MEMORY_READ),
    _route("POST", "/v1/memory/graph/merge", Scope.MEMORY_WRITE),
    _route("POST", "/v1/memory/graph/files", Scope.MEMORY_WRITE),
    _route("GET", "/v1/memory/blocks", Scope.MEMORY_READ),
    _route("PUT", "/v1/memory/blocks/{label}", Scope.MEMORY_WRITE),
    _route("DELETE", "/v1/memory/blocks/{label}", Scope.MEMORY_WRITE),
    _route("GET", "/v1/memory/index", STATUS),
    _route("POST", "/v1/memory/reindex", Scope.SETTINGS),
    _route("GET", "/v1/memory/forgotten", Scope.MEMORY_WRITE),
    _route("POST", "/v1/memory/restore", Scope.MEMORY_WRITE),
    _route("GET", "/v1/memory/export", Scope.MEMORY_READ),
    _route("GET", "/v1/memory/retention", Scope.SETTINGS),
    _route("POST", "/v1/memory/import", Scope.MEMORY_WRITE),
    _route("GET", "/v1/context", Scope.CONTEXT),
    _route("POST", "/v1/context", Scope.CONTEXT),
    _route("GET", "/v1/consents", Scope.CONTEXT),
    _route("PUT", "/v1/consents", Scope.CONTEXT),
    _route("GET", "/v1/usage", Scope.USAGE),
    _route("GET", "/v1/backups", Scope.BACKUPS),
    _route("POST", "/v1/backups", Scope.BACKUPS),
    _route("POST", "/v1/backups/{id}/verify", Scope.BACKUPS),
    _route("POST", "/v1/backups/{id}/restore", Scope.CLIENTS),
    _route("GET", "/v1/clients", Scope.CLIENTS),
    _route("POST", "/v1/clients", Scope.CLIENTS),
    _route("POST", "/v1/clients/editors", Scope.CLIENTS),
    _route("DELETE", "/v1/clients/{client_id}", Scope.CLIENTS),
    _route("GET", "/v1/clients/pairing", Scope.CLIENTS),
    _route("POST", "/v1/clients/pairing", Scope.CLIENTS),
    _route("DELETE", "/v1/clients/pairing", Scope.CLIENTS),
    _route("GET", "/v1/settings", Scope.SETTINGS),
    _route("PUT", "/v1/settings", Scope.SETTINGS),
    _route("GET", "/v1/keys", Scope.SETTINGS),
    _route("PUT", "/v1/keys/{provider}", Scope.SETTINGS),
    _route("DELETE", "/v1/keys/{provider}", Scope.SETTINGS),
    _route("POST", "/v1/keys/{provider}/test", Scope.SETTINGS),
    _route("POST", "/v1/tokenize", CHAT, COMPLETE),
    _route("POST", "/v1/detokenize", CHAT, COMPLETE),
    _route("GET", "/v1/models", CHAT, COMPLETE),
    _route("GET", "/v1/models/{model_id}", CHAT, COMPLETE),
    _route("POST", "/v1/chat/completions", CHAT),
    _route("POST", "/v1/completions", COMPLETE),
    _route("POST", "/v1/embeddings", CHAT, COMPLETE),
    _route("POST", "/v1/responses", CHAT),
    _route("GET", "/v1/responses/{response_id}", CHAT),
    _route("DELETE", "/v1/responses/{response_id}", CHAT),
    _route("GET", "/v1/responses/{response_id}/input_items", CHAT),
    _route("POST", "/v1/responses/{response_id}/cancel", CHAT),
    _route("POST", "/v1/messages", CHAT),
    _route("POST", "/v1/messages/count_tokens", CHAT),
    _route("GET", "/api/version", CHAT, COMPLETE),
    _route("GET", "/api/tags", CHAT, COMPLETE),
    _route("GET", "/api/ps", CHAT, COMPLETE),
    _route("POST", "/api/show", CHAT, COMPLETE),
    _route("POST", "/api/chat", CHAT),
    _route("POST", "/api/generate", CHAT),
    _route("POST", "/api/embed", CHAT, COMPLETE),
    _route("POST", "/infill", COMPLETE),
    _route("POST", "/completion", COMPLETE),
    _route("POST", "/tokenize", CHAT, COMPLETE),
    _route("POST", "/detokenize", CHAT, COMPLETE),
    _route("GET", "/props", CHAT, COMPLETE),
    _route("GET", "/health", CHAT, COMPLETE),
)
