"""Runs the call that the gate let through: time limit, model slot, span, metrics."""

import asyncio
import contextlib
import functools
from time import perf_counter
from typing import Final

from pydantic_core import to_json

from hearth_backend.api import problems, websocket
from hearth_backend.api.asgi import Receive, Scope, Send
from hearth_backend.api.connections import Connections, Live, watched
from hearth_backend.api.deadlines import Deadlines, Within
from hearth_backend.api.endpoint import Endpoint
from hearth_backend.api.exchange import Call, Outcome, Reply, Stream
from hearth_backend.api.failures import Failures
from hearth_backend.api.limits import ModelSlots
from hearth_backend.api.sending import Answer, ClientGone, read_body, until_gone
from hearth_backend.observe.metrics import Metrics
from hearth_backend.observe.traces import Tracer
from hearth_shared import logs
from hearth_shared.errors import BackendUnavailable, HearthError
from hearth_shared.settings import Server

_OUTSIDE: Final = "refused"
_GONE: Final = 499


class Dispatch:
    """What lies behind the gate."""

    def __init__(
        self, settings: Server, connections: Connections, slots: ModelSlots, metrics: Metrics, tracer: Tracer
    ) -> None:
        self._settings = settings
        self._connections = connections
        self._slots = slots
        self._metrics = metrics
        self._tracer = tracer
        self._failures = Failures(metrics)
        self._plain_limits = Deadlines(settings.plain_timeout_s)

    async def http(self, endpoint: Endpoint, call: Call, receive: Receive, send: Send, began: float) -> None:
        """Answer one request."""
        logs.request_id.set(call.request_id)
        parent = call.header(b"traceparent") if b"traceparent" in call.headers else ""
        answer = Answer(send, call.request_id)
        with self._tracer.span("http", parent=parent, route=endpoint.path, method=endpoint.method) as call.span:
            if endpoint.kind == "plain":
                await self._plain(endpoint, call, receive, answer)
            else:
                await self._lasting(endpoint, call, receive, answer)
        self._metrics.http(
            endpoint.path, endpoint.method, answer.status or _GONE, (answer.at or perf_counter()) - began
        )

    async def socket(self, endpoint: Endpoint, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket."""
        logs.request_id.set(call.request_id)
        socket = websocket.Socket(receive, send, scope["subprotocols"])
        await socket.knocked()
        self._metrics.http(endpoint.path, endpoint.method, 101, 0.0)
        await websocket.listen(endpoint, call, socket, self._connections, self._failures)

    async def refuse(self, error: HearthError, call: Call, send: Send, began: float, *, close: bool) -> None:
        """Tell a known principal why the gate stays shut."""
        reply = self._failures.reply(error, call)
        if close:
            reply.headers = (*reply.headers, (b"connection", b"close"))
        await Answer(send, call.request_id).whole(reply)
        self.refused("", reply.status, began)

    def refused(self, method: str, status: int, began: float) -> None:
        """Count a request that did not pass."""
        self._metrics.http(_OUTSIDE, method, status, perf_counter() - began)

    async def _plain(self, endpoint: Endpoint, call: Call, receive: Receive, answer: Answer) -> None:
        try:
            with Within(self._plain_limits):
                if endpoint.takes_body:
                    call.body = await read_body(receive, self._settings.max_body)
                reply = _whole(await endpoint.run(call), endpoint)
        except ClientGone:
            return
        except Exception as error:
            reply = self._failures.reply(error, call)
        await answer.whole(reply)

    async def _lasting(self, endpoint: Endpoint, call: Call, receive: Receive, answer: Answer) -> None:
        """A call that ends early when its client goes, its credential is revoked, or the backend stops."""
        if endpoint.takes_body:
            try:
                async with asyncio.timeout(self._settings.plain_timeout_s):
                    call.body = await read_body(receive, self._settings.max_body)
            except ClientGone:
                return
            except Exception as error:
                return await answer.whole(self._failures.reply(error, call))
        with self._connections.live(call.principal.client, endless=endpoint.kind == "lasting") as live:
            async with watched(functools.partial(until_gone, receive), live):
                await self._run(endpoint, call, answer)
        await self._cut(live, call, answer)

    async def _run(self, endpoint: Endpoint, call: Call, answer: Answer) -> None:
        is_model = endpoint.kind == "model"
        stream: Stream | None = None
        try:
            with self._slots.one() if is_model else contextlib.nullcontext():
                async with asyncio.timeout(self._settings.model_timeout_s if is_model else None):
                    outcome = await endpoint.run(call)
                    if not isinstance(outcome, Stream):
                        return await answer.whole(_whole(outcome, endpoint))
                    stream = outcome
                    return await _pour(stream, answer)
        except Exception as error:
            if not answer.status:
                return await answer.whole(self._failures.reply(error, call))
            ours = self._failures.ours(error, call)
        # A stream that broke says so in its own way, and never ends as if it were whole.
        await answer.end(stream.failed(ours, call.request_id) if stream else b"")

    async def _cut(self, live: Live, call: Call, answer: Answer) -> None:
        if live.ended is None or live.ended == "gone":
            return
        if answer.status:
            await answer.end()
        elif live.ended == "revoked":
            await answer.whole(Reply(problems.UNAUTHORIZED, 401, problems.PROBLEM))
        else:
            stopping = BackendUnavailable("Hearth is stopping.", "Start it again: `hearth up`.")
            await answer.whole(self._failures.reply(stopping, call))


def _whole(outcome: Outcome, endpoint: Endpoint) -> Reply:
    if isinstance(outcome, Reply):
        return outcome
    assert not isinstance(outcome, Stream), f"{endpoint.path} streams, so it is no plain route"
    return Reply(to_json(outcome, inf_nan_mode="null"), endpoint.status)


async def _pour(stream: Stream, answer: Answer) -> None:
    async with contextlib.aclosing(stream.chunks) as chunks:
        async for chunk in chunks:
            if not answer.status:
                await answer.begin(200, stream.media, ())
            await answer.piece(chunk)
    await answer.end()
