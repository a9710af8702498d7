"""A model's events gathered into one answer, for callers that do not stream."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from hearth_backend.gateway.messages import (
    ChatEvent,
    Chosen,
    Finished,
    FinishReason,
    Likelihood,
    ReasoningDelta,
    Restart,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from hearth_shared.errors import IncompleteAnswer
from hearth_shared.protocol.tasks import MadeBy, Tokens

Texts = list[str]


@dataclass(slots=True)
class ModelAnswer:
    """What one model said, whole."""

    chosen: Chosen
    text: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    finished: Finished
    likelihoods: tuple[Likelihood, ...] = ()

    @property
    def made_by(self) -> MadeBy:
        """Where it was made."""
        chosen = self.chosen
        return MadeBy(where=chosen.where, model=chosen.model, provider=chosen.provider, test_model=chosen.test_model)

    @property
    def tokens(self) -> Tokens:
        """What it cost."""
        finished = self.finished
        return Tokens(input=finished.input_tokens, output=finished.output_tokens, cost=finished.cost)

    @property
    def reason(self) -> FinishReason:
        """Why the model stopped."""
        return self.finished.reason


@dataclass(slots=True)
class _Gathered:
    """What came so far of the model that answers now."""

    chosen: Chosen
    text: Texts = field(default_factory=Texts)
    reasoning: Texts = field(default_factory=Texts)
    calls: dict[int, ToolCallDelta] = field(default_factory=dict[int, ToolCallDelta])
    likelihoods: list[Likelihood] = field(default_factory=list[Likelihood])


async def gathered(events: AsyncGenerator[ChatEvent]) -> ModelAnswer:
    """The whole answer. What a model said before another had to begin again does not count; at a seam it does."""
    so_far: _Gathered | None = None
    async with aclosing(events):
        async for event in events:
            match event:
                case Chosen(seam=True) if so_far is not None:
                    so_far.chosen = event
                case Chosen():
                    so_far = _Gathered(event)
                case Finished() if so_far is not None:
                    return _whole(so_far, event)
                case _ if so_far is not None:
                    _add(so_far, event)
                case _:
                    pass
    raise IncompleteAnswer("The model ended without saying so.", "Ask again.")


def _add(so_far: _Gathered, event: ChatEvent) -> None:
    match event:
        case TextDelta(text, likely):
            so_far.text.append(text)
            so_far.likelihoods += likely
        case ReasoningDelta(text):
            so_far.reasoning.append(text)
        case ToolCallDelta():
            before = so_far.calls.get(event.index, ToolCallDelta(event.index))
            so_far.calls[event.index] = ToolCallDelta(
                event.index, before.id or event.id, before.name or event.name, before.arguments + event.arguments
            )
        case Restart() | Chosen() | Finished():
            pass


def _whole(so_far: _Gathered, finished: Finished) -> ModelAnswer:
    calls = tuple(ToolCall(call.id, call.name, call.arguments) for _, call in sorted(so_far.calls.items()))
    text, reasoning = "".join(so_far.text), "".join(so_far.reasoning)
    return ModelAnswer(so_far.chosen, text, reasoning, calls, finished, tuple(so_far.likelihoods))
