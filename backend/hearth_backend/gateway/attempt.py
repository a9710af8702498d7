"""One attempt at one route: timed, counted, and its outcome told to the breaker."""

import time
from collections.abc import Callable

from hearth_backend.gateway.admission import Place
from hearth_backend.gateway.dialect import estimated_tokens
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    Chosen,
    Finished,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCallDelta,
)
from hearth_backend.gateway.policy import Route
from hearth_backend.gateway.usage import UsageLog
from hearth_shared.errors import BadRequest, HearthError
from hearth_shared.protocol.models import Role
from hearth_shared.protocol.status import UsageRow

_OUR_FAULT = frozenset({401, 403, 404})  # a missing key or model says nothing about the server's health


class Attempt:
    """Leaves exactly one usage row, and exactly one word to the breaker, however it ends. `stands_in` is the model that
    should have answered, and why it did not."""

    def __init__(
        self,
        route: Route,
        role: Role,
        caller: Caller,
        place: Place,
        usage: UsageLog,
        asked: int = 0,
        stands_in: tuple[str, str] = ("", ""),
    ) -> None:
        self.route = route
        self._role, self._caller, self._place, self._usage = role, caller, place, usage
        self._stands_in = stands_in
        self._input_tokens, self._written = estimated_tokens(asked), 0
        self._at, self._began = time.time(), time.perf_counter()
        self._first_ms: float | None = None
        self._over = False

    def saw(self, event: ChatEvent) -> None:
        """Note an event that came."""
        match event:
            case TextDelta(text) | ReasoningDelta(text):
                self._written += len(text)
            case ToolCallDelta(arguments=arguments):
                self._written += len(arguments)
            case Chosen() | Restart() | Finished():
                return
        if self._first_ms is None:
            self._first_ms = self._ms()

    def finished(self, input_tokens: int, output_tokens: int, cost: float | None) -> None:
        """It came to its end."""
        self._end(self._place.succeeded, input_tokens, output_tokens, cost, "")

    def failed(self, error: HearthError) -> None:
        """It failed; by whose fault decides what the breaker hears."""
        if (seconds := error.data.get("retry_after")) is not None:
            self._end(lambda: self._place.rest(float(seconds)), error=error.code)
        elif isinstance(error, BadRequest) or error.data.get("server_status") in _OUR_FAULT:
            self._end(self._place.released, error=error.code)
        else:
            self._end(self._place.failed, error=error.code)

    def abandoned(self) -> None:
        """It was cancelled, or broke for a reason that is not the model's; does nothing after another ending."""
        self._end(self._place.released, error="cancelled")

    def _end(
        self,
        tell: Callable[[], None],
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cost: float | None = None,
        error: str = "",
    ) -> None:
        if self._over:
            return
        self._over = True
        tell()
        away = self.route.provider.where == "cloud"
        self._usage.record(
            UsageRow(
                at=self._at,
                request_id=self._caller.request_id,
                run_id=self._caller.run_id,
                door=self._caller.door,
                client=self._caller.client,
                role=self._role,
                model=self.route.model,
                provider=self.route.provider.name,
                where=self.route.provider.where,
                input_tokens=self._read() if input_tokens is None else input_tokens,
                output_tokens=estimated_tokens(self._written) if output_tokens is None else output_tokens,
                cost=cost if away or not error else 0.0,
                ms=self._ms(),
                first_ms=self._first_ms,
                ok=not error,
                error=error,
                thread_id=self._caller.thread_id,
                agent=self._caller.agent,
                instead_of=self._stands_in[0],
                because=self._stands_in[1],
            )
        )

    def _read(self) -> int:
        """What an attempt that was not finished has read, as far as can be told: nothing before its first word."""
        return self._input_tokens if self._first_ms is not None else 0

    def _ms(self) -> float:
        return (time.perf_counter() - self._began) * 1000
