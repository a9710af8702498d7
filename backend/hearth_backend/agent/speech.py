"""One model call of a run: journaled, its text sent on while it is written."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from hearth_backend.agent.turn import Turn
from hearth_backend.gateway.messages import (
    Caller,
    ChatMessage,
    ChatRequest,
    Chosen,
    Finished,
    Models,
    ReasoningDelta,
    Restart,
    Sampling,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from hearth_shared.errors import IncompleteAnswer
from hearth_shared.protocol.events import EventType
from hearth_shared.protocol.tasks import MadeBy, Tokens


@dataclass(frozen=True, slots=True)
class Said:
    """What a model call came to."""

    text: str
    calls: Sequence[ToolCall]
    made_by: MadeBy
    tokens: Tokens
    reason: str


class Speech:
    """Lets a model speak, one part of the answer for each call, each of at most `most_tokens`."""

    def __init__(
        self, models: Models, caller: Caller, turn: Turn, *, most_tokens: int, model: str | None = None
    ) -> None:
        self._models = models
        self._model = model
        self._caller = caller
        self._turn = turn
        self._sampling = Sampling(max_tokens=most_tokens)

    async def say(self, messages: Sequence[ChatMessage], tools: Sequence[Mapping[str, Any]] = ()) -> Said:
        """One step of the run. After a crash, what was whole is not asked for again.

        When the model breaks off, `turn.parts` holds what was said until then.
        """
        self._turn.meter.step()
        request = ChatRequest(messages, self._model, sampling=self._sampling, tools=tools)
        part = len(self._turn.parts)
        self._turn.parts.append("")
        record = await self._turn.journal.step("model", str(part), lambda: self._listen(request, part))
        said = _from_record(record)
        self._turn.parts[part] = record["shown"]
        self._turn.made_by = said.made_by
        self._turn.spend(said.tokens)
        for note in record["notes"]:
            self._turn.note(note)
        return said

    async def _listen(self, request: ChatRequest, part: int) -> dict[str, Any]:
        hearing = _Hearing(self._turn, part)
        async with aclosing(self._models.chat(request, self._caller)) as events:
            async for event in events:
                match event:
                    case Chosen():
                        await hearing.chosen(event)
                    case TextDelta(text):
                        await hearing.text(text)
                    case ReasoningDelta(text):
                        await self._turn.journal.emit(EventType.REASONING_DELTA, {"part": part, "text": text})
                    case ToolCallDelta():
                        hearing.tool_call(event)
                    case Restart():
                        await hearing.restart()
                    case Finished():
                        return await hearing.finished(event)
        raise IncompleteAnswer("The model's answer ended before it was finished.")


class _Hearing:
    """What has come of one call."""

    def __init__(self, turn: Turn, part: int) -> None:
        self._turn = turn
        self._part = part
        # Parts are joined as they are: a later one brings the blank line before it.
        self._gap = "\n\n" if turn.text else ""
        self._said: list[str] = []
        self._calls: dict[int, ToolCall] = {}
        self._made_by = MadeBy()
        self._notes: list[str] = []

    async def chosen(self, event: Chosen) -> None:
        self._made_by = MadeBy(
            where=event.where, model=event.model, provider=event.provider, test_model=event.test_model
        )
        self._turn.made_by = self._made_by
        if event.seam:
            self._notes.append(f"{event.instead_of} broke off in its answer; {event.model} went on from there.")
            where = {"part": self._part, "offset": len(self._turn.parts[self._part])}
            data = {**where, "from": event.instead_of, "to": event.model, "reason": event.because}
            await self._turn.journal.emit(EventType.TEXT_SEAM, data)
        elif event.instead_of:
            self._notes.append(f"{event.instead_of} did not answer: {event.because} {event.model} did.")
            data = {"from": event.instead_of, "to": event.model, "reason": event.because}
            await self._turn.journal.emit(EventType.MODEL_FALLBACK, data)

    async def text(self, text: str) -> None:
        if not self._said:
            text = self._gap + text
        self._said.append(text)
        self._turn.parts[self._part] += text
        await self._turn.journal.text(self._part, text)

    def tool_call(self, event: ToolCallDelta) -> None:
        known = self._calls.get(event.index) or ToolCall("", "", "")
        self._calls[event.index] = ToolCall(
            event.id or known.id, known.name + event.name, known.arguments + event.arguments
        )

    async def restart(self) -> None:
        self._said.clear()
        self._calls.clear()
        self._turn.parts[self._part] = ""
        await self._turn.journal.reset(self._part)

    async def finished(self, event: Finished) -> dict[str, Any]:
        """The call as its step remembers it."""
        tokens = Tokens(input=event.input_tokens, output=event.output_tokens, cost=event.cost)
        made = {"model": self._made_by.model, "provider": self._made_by.provider, "where": self._made_by.where}
        await self._turn.journal.emit(EventType.USAGE_RECORDED, {**made, **tokens.model_dump()})
        shown = "".join(self._said)
        calls = [
            {"id": call.id or f"call_{self._part}_{index}", "name": call.name, "arguments": call.arguments or "{}"}
            for index, call in sorted(self._calls.items())
        ]
        if event.reason == "length":
            self._notes.append("The model reached its limit of words here.")
        if self._made_by.test_model:
            self._notes.append(f"{self._made_by.model} is a test model: its words mean nothing.")
        return {
            "text": shown.removeprefix(self._gap),
            "shown": shown,
            "calls": calls,
            "made_by": self._made_by.model_dump(),
            "tokens": tokens.model_dump(),
            "reason": event.reason,
            "notes": self._notes,
        }


def _from_record(record: Mapping[str, Any]) -> Said:
    return Said(
        text=record["text"],
        calls=[ToolCall(**call) for call in record["calls"]],
        made_by=MadeBy.model_validate(record["made_by"]),
        tokens=Tokens.model_validate(record["tokens"]),
        reason=record["reason"],
    )
