"""What local models write beside their answer, told apart from it: thoughts and tool calls, while they are written.

Forms of a call, with the tools' names known only to the last:
- Hermes and Qwen: `<tool_call>{"name": …, "arguments": {…}}</tool_call>`
- Mistral: `[TOOL_CALLS][{"name": …, "arguments": {…}}, …]`, and later `[TOOL_CALLS]name[ARGS]{…}`
- Llama 3: `<|python_tag|>{"name": …, "parameters": {…}}; …`
- an answer that is nothing but such an object, with the name of a tool

Thoughts stand between `<think>` and `</think>` at the beginning of an answer; some templates open them in the prompt.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from hearth_backend.engine.jsonspan import JsonSpan
from hearth_shared.errors import IncompleteAnswer, ModelFailed

_MOST_ARGUMENTS = 256 * 1024
_LONGEST_HEAD = 256
_THINK, _THOUGHT = "<think>", "</think>"
_HERMES, _HERMES_END, _MISTRAL, _LLAMA = "<tool_call>", "</tool_call>", "[TOOL_CALLS]", "<|python_tag|>"
MARKERS = frozenset({_THINK, _THOUGHT, _HERMES, _HERMES_END, _MISTRAL, _LLAMA, "[ARGS]"})  # told even as control tokens
_HEAD = re.compile(
    r'\s*\{\s*(?:"type"\s*:\s*"function"\s*,\s*)?"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,'
    r'\s*"(?:arguments|parameters)"\s*:\s*(?=\{)'
)
_NAMED = re.compile(r"\s*([\w.-]+)\s*(?:\[ARGS\])?\s*(?=\{)")


@dataclass(frozen=True, slots=True)
class Words:
    """More of the answer itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """More of the model's thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class CallPart:
    """More of a call; `id` and `name` come with its first part."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


Told = Words | Thought | CallPart
_NOTHING = Words("")


class TaggedAnswer:
    """Reads an answer piece by piece. Without `tools` a call's markers are text like any other; so is a thought's
    once the answer has begun."""

    def __init__(self, tools: Collection[str] = (), *, thinking: bool = False) -> None:
        self._tools = tools
        self._openers = (_HERMES, _MISTRAL, _LLAMA) if tools else ()
        self._held = ""
        self._inside = _THINK if thinking else ""
        self._body: _Body | None = None
        self._begun = False
        self._blank = True
        self.calls = 0

    def feed(self, piece: str) -> Iterator[Told]:
        """What the piece, and what was held back before it, turns out to be."""
        self._held += piece
        while (told := self._step()) is not None:
            yield from (one for one in told if one != _NOTHING)

    def finish(self) -> Iterator[Told]:
        """What was held back at the end. Raises IncompleteAnswer inside a tool call."""
        if self._body is not None or self._inside == _HERMES:
            raise IncompleteAnswer("The model was cut off while it wrote a tool call.")
        if self._held and not self._inside:
            yield Words(self._held)
        elif self._inside == _THINK and self._held:
            yield Thought(self._held)
        elif self._held.strip(" \n\r\t,;]"):
            raise IncompleteAnswer("The model wrote a tool call that cannot be read.")

    def _step(self) -> list[Told] | None:
        """One step on; None when more must come first."""
        if self._body is not None:
            return self._call(self._body)
        match self._inside:
            case "":
                return self._outside()
            case "<think>":
                return self._thought()
            case _:
                return self._between()

    # -- the answer itself

    def _outside(self) -> list[Told] | None:
        if not self._begun and (first := self._held.lstrip()):
            if _THINK.startswith(first[: len(_THINK)]):
                if len(first) < len(_THINK):
                    return None
                self._inside, self._held = _THINK, first[len(_THINK) :]
                return []
            if self._tools and first.startswith("{") and (decided := self._bare(first)) is not None:
                return decided if decided else None
        return self._words()

    def _bare(self, first: str) -> list[Told] | None:
        """Whether an answer that begins as an object is a call: it is (its body begins), it may be ([]), or None."""
        head = _HEAD.match(first)
        if head is None:
            return [] if len(first) <= _LONGEST_HEAD and JsonSpan().end(first) is None else None
        if _text(head[1]) not in self._tools:
            return None
        self._inside, self._held, self._begun = "bare", first, True
        return self._between() or [_NOTHING]

    def _words(self) -> list[Told] | None:
        found = [(at, opener) for opener in self._openers if (at := self._held.find(opener)) >= 0]
        if found:
            at, opener = min(found)
            text, self._held, self._inside = self._held[:at], self._held[at + len(opener) :], opener
            return self._said(text)
        keep = max((_overlap(self._held, opener) for opener in self._openers), default=0)
        text, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return self._said(text) if text else None

    def _said(self, text: str) -> list[Told]:
        """Text of the answer; the blanks around thoughts and calls belong to neither."""
        if self._blank:
            text = text.lstrip()
        if not text:
            return []
        self._blank, self._begun = False, True
        return [Words(text)]

    def _thought(self) -> list[Told] | None:
        thought, closed, rest = self._held.partition(_THOUGHT)
        if closed:
            self._inside, self._held, self._blank, self._begun = "", rest, True, False
            return [Thought(thought)] if thought else []
        keep = _overlap(thought, _THOUGHT)
        thought, self._held = thought[: len(thought) - keep], thought[len(thought) - keep :]
        return [Thought(thought)] if thought else None

    # -- calls

    def _between(self) -> list[Told] | None:
        """Before, between and behind the calls of one opener."""
        rest = self._held.lstrip(" \n\r\t,;" if self._inside != _HERMES else None)
        if self._inside == _MISTRAL and rest:
            if len(rest) < len(_MISTRAL) and _MISTRAL.startswith(rest):  # or only the bracket of a list
                self._held = rest
                return None
            rest = rest.removeprefix(_MISTRAL).lstrip("[ \n")
        if self._inside == _HERMES and rest.startswith(_HERMES_END):
            self._inside, self._held, self._blank = "", rest[len(_HERMES_END) :], True
            return []
        if rest.startswith("{"):
            return self._open(_Body(self.calls), rest)
        if self._inside == _MISTRAL and (named := _NAMED.match(rest)):
            return self._open(_Body(self.calls, named[1]), rest[named.end() :])
        self._held = rest
        if rest and not self._may_go_on(rest):
            raise IncompleteAnswer("The model wrote a tool call that cannot be read.")
        return None

    def _may_go_on(self, rest: str) -> bool:
        match self._inside:
            case "<tool_call>":
                return _HERMES_END.startswith(rest)
            case "[TOOL_CALLS]":
                return len(rest) < _LONGEST_HEAD
            case _:
                return not rest.strip(" \n]")

    def _open(self, body: "_Body", rest: str) -> list[Told]:
        self.calls += 1
        self._body, self._held = body, rest
        return self._call(body) or []

    def _call(self, body: "_Body") -> list[Told] | None:
        if not self._held:
            return None
        piece, self._held = self._held, ""
        told, rest = body.feed(piece)
        if rest is not None:
            self._body, self._held = None, rest
        return [*told]


class _Body:
    """One call as it comes: an object with a name and arguments, or, when the name is known, the arguments."""

    def __init__(self, index: int, name: str = "") -> None:
        self._index = index
        self._whole = ""
        self._object = JsonSpan()
        self._arguments: JsonSpan | None = None
        self._written = ""
        self._known = name
        self._begun = False

    def feed(self, piece: str) -> tuple[list[CallPart], str | None]:
        """The parts in this piece; and, when the call is complete, what comes behind it."""
        end = self._object.end(piece)
        inside, rest = (piece, None) if end is None else (piece[:end], piece[end:])
        self._whole += inside
        if len(self._whole) > _MOST_ARGUMENTS:
            raise ModelFailed("The model wrote a tool call that is too long to be meant.")
        told = self._continue(inside) if self._begun else self._begin()
        if rest is not None:
            told += self._finish()
        return told, rest

    def _begin(self) -> list[CallPart]:
        if self._known:
            return self._start(self._known, self._whole)
        if head := _HEAD.match(self._whole):
            return self._start(_text(head[1]), self._whole[head.end() :])
        return []

    def _start(self, name: str, rest: str) -> list[CallPart]:
        self._begun, self._arguments = True, JsonSpan()
        return [CallPart(self._index, f"call_{self._index + 1}", name), *self._continue(rest)]

    def _continue(self, piece: str) -> list[CallPart]:
        if self._arguments is None or not piece:
            return []
        end = self._arguments.end(piece)
        if end is not None:
            self._arguments, piece = None, piece[:end]
        self._written += piece
        return [CallPart(self._index, arguments=piece)]

    def _finish(self) -> list[CallPart]:
        """The call is complete: it must be one."""
        try:
            if self._begun:
                json.loads(self._written)
                return []
            call: Any = json.loads(self._whole)
            name, arguments = str(call["name"]), call.get("arguments", call.get("parameters", {}))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise IncompleteAnswer("The model wrote a tool call that cannot be read.") from None
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        return [CallPart(self._index, f"call_{self._index + 1}", name, text)]


def _text(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return ""


def _overlap(text: str, tag: str) -> int:
    """Length of the longest end of `text` with which `tag` begins."""
    lengths = range(min(len(tag) - 1, len(text)), 0, -1)
    return next((length for length in lengths if text.endswith(tag[:length])), 0)
