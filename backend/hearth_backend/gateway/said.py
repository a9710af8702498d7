"""What a person has seen of an answer so far, and how another model may go on from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hearth_backend.gateway.dialect import estimated_tokens
from hearth_backend.gateway.messages import (
    ChatEvent,
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    ReasoningDelta,
    Sampling,
    TextDelta,
    ToolCallDelta,
)

_GO_ON = (
    "Your answer was cut off. Everything above stands and is on the screen. Go on exactly where it stops, in the same "
    "language and form; repeat nothing, and say nothing about this."
)


@dataclass(slots=True)
class Said:
    """Text is kept only where it may be gone on from (`keeps`): tool calls, and answers bound to a form, never are."""

    keeps: bool
    begun: bool = False
    calls_tools: bool = False
    _texts: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._texts)

    @property
    def goes_on(self) -> bool:
        """Whether another model may go on from here."""
        return self.keeps and not self.calls_tools and bool(self._texts)

    def saw(self, event: ChatEvent) -> None:
        """Note a piece."""
        match event:
            case TextDelta(text):
                self.begun = True
                if self.keeps:
                    self._texts.append(text)
            case ToolCallDelta():
                self.begun = self.calls_tools = True
            case ReasoningDelta():
                self.begun = True
            case _:
                pass

    def taken_back(self) -> None:
        """None of it counts."""
        self.begun = self.calls_tools = False
        self._texts.clear()


def chat_from(request: ChatRequest, text: str) -> ChatRequest:
    """The conversation that goes on from `text`; the request itself when there is none."""
    if not text:
        return request
    more: Sequence[ChatMessage] = (ChatMessage("assistant", text), ChatMessage("user", _GO_ON))
    return replace(request, messages=[*request.messages, *more], sampling=_shorter(request.sampling, text))


def completion_from(request: CompletionRequest, text: str) -> CompletionRequest:
    """The completion that goes on from `text`."""
    if not text:
        return request
    return replace(request, prefix=request.prefix + text, sampling=_shorter(request.sampling, text))


def _shorter(sampling: Sampling, text: str) -> Sampling:
    if sampling.max_tokens is None:
        return sampling
    return replace(sampling, max_tokens=max(1, sampling.max_tokens - estimated_tokens(len(text))))
