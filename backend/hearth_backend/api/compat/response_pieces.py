"""A model's answer in the shape of OpenAI's responses: whole, and as its numbered events."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, Literal, assert_never

from hearth_backend import ids
from hearth_backend.api.compat.chat import refuse_to_double
from hearth_backend.api.compat.response_bodies import ResponseBody
from hearth_backend.gateway.messages import (
    ChatEvent,
    Chosen,
    Finished,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCallDelta,
)
from hearth_shared.errors import Cancelled, HearthError, IncompleteAnswer
from hearth_shared.protocol.base import Json

Kind = Literal["message", "reasoning", "function_call"]


class Told:
    """One response in the making. `answer` is what it is so far; each method gives the events that tell it."""

    def __init__(self, id: str, created: int, body: ResponseBody) -> None:
        self.answer: Json = _empty(id, created, body)
        self._seq = -1
        self._open: tuple[Kind, int] | None = None
        self._text = ""

    @property
    def said(self) -> bool:
        """Whether anything was told that cannot be taken back."""
        return bool(self.answer["output"])

    @property
    def whole(self) -> bool:
        """Whether the model came to its end, be it by its limit."""
        return self.answer["status"] in ("completed", "incomplete")

    def begun(self, model: str) -> Iterator[bytes]:
        """The first events; another model that takes over before a word was said is told by the last."""
        self.answer["model"] = model
        if self._seq < 0:
            yield self._event("response.created", response=self.answer)
            yield self._event("response.in_progress", response=self.answer)

    def more(self, one: TextDelta | ReasoningDelta | ToolCallDelta) -> Iterator[bytes]:
        """One more piece. Something of another kind closes the item that is open."""
        kind, number, delta = _read(one)
        if self._open != (kind, number):
            yield from self.closed()
            yield from self._opened(kind, number, one)
        if delta:
            self._text += delta
            yield self._event(_DELTAS[kind][0], **self._place(), delta=delta, **_extra(kind))

    def closed(self) -> Iterator[bytes]:
        """The end of the open item, when there is one."""
        if self._open is None:
            return
        kind, item = self._open[0], self.answer["output"][-1]
        self._open = None
        if kind == "function_call":
            item |= {"arguments": self._text, "status": "completed"}
            yield self._event(_DELTAS[kind][1], **self._place(), arguments=self._text, name=item["name"])
        else:
            part = _part(kind, self._text)
            item["content"] = [part]
            item["status"] = "completed"
            yield self._event(_DELTAS[kind][1], **self._place(), text=self._text, **_extra(kind))
            yield self._event("response.content_part.done", **self._place(), content_index=0, part=part)
        yield self._event("response.output_item.done", output_index=self._index(), item=item)
        self._text = ""

    def ended(self, finished: Finished) -> Iterator[bytes]:
        """The last events of a whole answer."""
        yield from self.closed()
        short = finished.reason == "length"
        self.answer |= {"status": "incomplete" if short else "completed", "usage": _usage(finished)}
        if short:
            self.answer["incomplete_details"] = {"reason": "max_output_tokens"}
        yield self._event(f"response.{self.answer['status']}", response=self.answer)

    def failed(self, error: HearthError) -> bytes:
        """The last event of one that broke."""
        stopped = isinstance(error, Cancelled)
        self.answer |= {"status": "cancelled" if stopped else "failed"}
        self.answer["error"] = {"code": error.code if stopped else "server_error", "message": str(error)}
        return self._event("response.failed", response=self.answer)

    def _opened(self, kind: Kind, number: int, one: TextDelta | ReasoningDelta | ToolCallDelta) -> Iterator[bytes]:
        self._open = kind, number
        item: Json = {"id": ids.passing(_PREFIX[kind]), "type": kind, "status": "in_progress"}
        if isinstance(one, ToolCallDelta):
            item |= {"call_id": one.id, "name": one.name, "arguments": ""}
        else:
            item |= {"content": [], **({"role": "assistant"} if kind == "message" else {"summary": []})}
        self.answer["output"].append(item)
        yield self._event("response.output_item.added", output_index=self._index(), item=item)
        if kind != "function_call":
            yield self._event("response.content_part.added", **self._place(), content_index=0, part=_part(kind, ""))

    def _index(self) -> int:
        return len(self.answer["output"]) - 1

    def _place(self) -> Json:
        return {"item_id": self.answer["output"][-1]["id"], "output_index": self._index()}

    def _event(self, kind: str, **more: Any) -> bytes:
        self._seq += 1
        value = {"type": kind, "sequence_number": self._seq, **more}
        said = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), said)


async def pieces(told: Told, events: AsyncGenerator[ChatEvent]) -> AsyncGenerator[bytes, None]:
    """The answer's events. One that breaks raises: only a whole one is called completed, or incomplete at its limit."""
    async with aclosing(events):
        async for one in events:
            match one:
                case Chosen():
                    for piece in told.begun(one.model):
                        yield piece
                case Restart():
                    refuse_to_double(told.said, one)
                case Finished():
                    for piece in told.ended(one):
                        yield piece
                    return
                case TextDelta() | ReasoningDelta() | ToolCallDelta():
                    for piece in told.more(one):
                        yield piece
                case _:
                    assert_never(one)
    raise IncompleteAnswer("The model ended without saying so.", "Ask again.")


_PREFIX: dict[Kind, str] = {"message": "msg", "reasoning": "rs", "function_call": "fc"}
_DELTAS: dict[Kind, tuple[str, str]] = {
    "message": ("response.output_text.delta", "response.output_text.done"),
    "reasoning": ("response.reasoning_text.delta", "response.reasoning_text.done"),
    "function_call": ("response.function_call_arguments.delta", "response.function_call_arguments.done"),
}


def _read(one: TextDelta | ReasoningDelta | ToolCallDelta) -> tuple[Kind, int, str]:
    match one:
        case TextDelta():
            return "message", 0, one.text
        case ReasoningDelta():
            return "reasoning", 0, one.text
        case ToolCallDelta():
            return "function_call", one.index, one.arguments


def _extra(kind: Kind) -> Json:
    if kind == "function_call":
        return {}
    return {"content_index": 0, **({"logprobs": []} if kind == "message" else {})}


def _part(kind: Kind, text: str) -> Json:
    if kind == "reasoning":
        return {"type": "reasoning_text", "text": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(finished: Finished) -> Json:
    return {
        "input_tokens": finished.input_tokens,
        "input_tokens_details": {"cached_tokens": finished.cached_tokens},
        "output_tokens": finished.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": finished.input_tokens + finished.output_tokens,
    }


def _empty(id: str, created: int, body: ResponseBody) -> Json:
    return {
        "id": id,
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "metadata": body.metadata or {},
        "model": body.model or "",
        "output": [],
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "previous_response_id": body.previous_response_id,
        "reasoning": {"effort": body.reasoning.effort if body.reasoning else None, "summary": None},
        "store": body.stores,
        "temperature": body.temperature,
        "text": {"format": body.text.format.model_dump(by_alias=True, exclude_none=True)},
        "tool_choice": body.tool_choice or "auto",
        "tools": body.tools or [],
        "top_p": body.top_p,
        "truncation": "disabled",
        "usage": None,
    }
