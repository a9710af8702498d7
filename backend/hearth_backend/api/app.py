"""Puts the doors together: the route table, the gate before it, and what ends connections."""

import time
from typing import Self

from hearth_backend.api.compat import anthropic, llama_server, ollama, openai, responses
from hearth_backend.api.connections import Connections
from hearth_backend.api.dispatch import Dispatch
from hearth_backend.api.endpoint import Endpoint
from hearth_backend.api.gate import Gate, Hosts
from hearth_backend.api.limits import Limits, ModelSlots
from hearth_backend.api.principals import Principals
from hearth_backend.api.routes import (
    agents,
    approvals,
    backups,
    clients,
    complete,
    context,
    engine,
    events,
    facts,
    graph,
    health,
    index,
    keeping,
    keys,
    memory,
    model_files,
    outgoing,
    pairing,
    schema,
    settings,
    status,
    tasks,
    threads,
    tokens,
    usage,
)
from hearth_backend.api.table import RouteTable
from hearth_backend.services import Services
from hearth_shared.protocol.principals import Door


class App:
    """The doors of one backend."""

    def __init__(self, gate: Gate, principals: Principals, connections: Connections) -> None:
        self.gate = gate
        self.connections = connections
        self._principals = principals

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._principals.close()


def endpoints(services: Services, doors: dict[str, str]) -> list[Endpoint]:
    """Every route whose backing is there."""
    native: list[Endpoint] = []
    for room in (
        health.Health(services),
        status.Status(services, doors),
        agents.Agents(services.profiles),
        tasks.Tasks(services),
        events.Events(services),
        threads.Threads(services),
        outgoing.Outgoing(services),
        complete.Complete(services.models),
        engine.Engine(services),
        model_files.ModelFiles(services),
        approvals.Approvals(services),
        memory.Memory(services),
        facts.Facts(services),
        graph.MemoryGraph(services),
        keeping.Keeping(services),
        index.Index(services),
        context.Context(services),
        usage.Usage(services),
        backups.Backups(services),
        clients.Clients(services),
        pairing.Pairing(services, time.monotonic),
        settings.Settings(services),
        keys.Keys(services),
        tokens.Tokens(services),
        openai.OpenAI(services),
        responses.Responses(services),
        anthropic.Anthropic(services),
        ollama.Ollama(services),
        llama_server.LlamaServer(services),
    ):
        native.extend(room.endpoints())
    return [*native, *schema.Schema(native).endpoints()]


def build(services: Services, keys: dict[Door, str], port: int) -> App:
    """The ASGI application behind both listeners; `port` is the one that TCP clients must name in Host."""
    server = services.settings.server
    principals = Principals(keys, services.clients)
    doors = {"socket": str(services.home.socket), "http": f"http://127.0.0.1:{port}"}
    connections = Connections()
    services.clients.on_revoke(connections.revoke)
    dispatch = Dispatch(server, connections, ModelSlots(server.model_requests), services.metrics, services.tracer)
    gate = Gate(
        RouteTable(endpoints(services, doors)),
        principals,
        Limits(server, time.monotonic),
        Hosts.on(port),
        server.max_body,
        dispatch,
    )
    return App(gate, principals, connections)
