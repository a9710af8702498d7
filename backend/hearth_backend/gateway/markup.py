"""What local models write between tags, told apart from the answer: thoughts and tool calls.

The forms are those of Hermes, Qwen and DeepSeek: `<think>…</think>` at the beginning, and
`<tool_call>{"name": …, "arguments": {…}}</tool_call>` (https://github.com/NousResearch/Hermes-Function-Calling).
"""

import json
from collections.abc import Iterator
from typing import Any

from hearth_backend.gateway.dialect import MOST_ARGUMENTS
from hearth_backend.gateway.messages import ReasoningDelta, TextDelta, ToolCallDelta
from hearth_shared.errors import IncompleteAnswer, ModelFailed

Told = TextDelta | ReasoningDelta | ToolCallDelta
_THINK, _THOUGHT = "<think>", "</think>"
_CALL, _CALLED = "<tool_call>", "</tool_call>"


class TaggedText:
    """Reads an answer piece by piece. Without `tools`, a tool call's tag is text like any other; so is a thought's
    once the answer has begun."""

    def __init__(self, *, tools: bool) -> None:
        self._tools = tools
        self._held = ""
        self._inside = ""
        self._begun = False
        self._blank = True
        self.calls = 0

    def feed(self, piece: str) -> Iterator[Told]:
        """What the piece, and what was held back before it, turns out to be."""
        self._held += piece
        while (told := self._step()) is not None:
            yield from told

    def finish(self) -> Iterator[Told]:
        """What was held back at the end. Raises IncompleteAnswer inside a tool call."""
        if self._inside == _CALL:
            raise IncompleteAnswer("The model was cut off while it wrote a tool call.")
        if self._held:
            yield ReasoningDelta(self._held) if self._inside else TextDelta(self._held)

    def _step(self) -> list[Told] | None:
        """One step on; None when more must come first."""
        match self._inside:
            case "":
                return self._outside()
            case "<think>":
                return self._thought()
            case _:
                return self._call()

    def _outside(self) -> list[Told] | None:
        if not self._begun and (first := self._held.lstrip()) and _THINK.startswith(first[: len(_THINK)]):
            if len(first) < len(_THINK):
                return None
            self._inside, self._held = _THINK, first[len(_THINK) :]
            return []
        if self._tools and (at := self._held.find(_CALL)) >= 0:
            text, self._held, self._inside = self._held[:at], self._held[at + len(_CALL) :], _CALL
            return self._text(text)
        text, self._held = _split(self._held, _CALL if self._tools else "")
        return self._text(text) if text else None

    def _thought(self) -> list[Told] | None:
        thought, closed, rest = self._held.partition(_THOUGHT)
        if closed:
            self._inside, self._held, self._blank = "", rest, True
            return [ReasoningDelta(thought)] if thought else []
        thought, self._held = _split(thought, _THOUGHT)
        return [ReasoningDelta(thought)] if thought else None

    def _call(self) -> list[Told] | None:
        written, closed, rest = self._held.partition(_CALLED)
        if not closed:
            if len(written) > MOST_ARGUMENTS:
                raise ModelFailed("The model wrote a tool call that is too long to be meant.")
            return None
        self._inside, self._held, self._blank = "", rest, True
        self.calls += 1
        return [_tool_call(self.calls, written)]

    def _text(self, text: str) -> list[Told]:
        """Text of the answer; the blanks around thoughts and calls belong to neither."""
        if self._blank:
            text = text.lstrip()
        if not text:
            return []
        self._blank, self._begun = False, True
        return [TextDelta(text)]


def _tool_call(number: int, written: str) -> ToolCallDelta:
    try:
        call: Any = json.loads(written)
        name, arguments = str(call["name"]), call.get("arguments", {})
    except (ValueError, TypeError, KeyError, AttributeError):
        raise IncompleteAnswer("The model wrote a tool call that cannot be read.") from None
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCallDelta(number - 1, f"call_{number}", name, text)


def _split(text: str, tag: str) -> tuple[str, str]:
    """The text, and the end of it that may be the beginning of the tag."""
    keep = _overlap(text, tag)
    return text[: len(text) - keep], text[len(text) - keep :]


def _overlap(text: str, tag: str) -> int:
    """Length of the longest end of `text` with which `tag` begins."""
    lengths = range(min(len(tag) - 1, len(text)), 0, -1)
    return next((length for length in lengths if text.endswith(tag[:length])), 0)
