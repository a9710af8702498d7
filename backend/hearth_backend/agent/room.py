"""How much of a model's window a prompt may fill: counted by the model's own tokenizer where it runs here."""

from collections.abc import Awaitable, Callable, Sequence

from hearth_backend.agent.context import PER_MESSAGE, budget_of, room_for_prompt
from hearth_backend.gateway.messages import ChatMessage

CountTokens = Callable[[str], Awaitable[int | None]]
_ATTEMPTS = 4
_SAFE = 0.97


class Room:
    """A model's window. `count` tells a text's tokens, or None where nobody can; then they are guessed, with a margin.
    `reserved` are tokens that stand in every prompt beside the messages, such as the tools."""

    def __init__(self, window: int, count: CountTokens, *, reserved: int = 0) -> None:
        self._guessed = max(0, budget_of(window) - reserved)
        self._counted = max(0, room_for_prompt(window) - reserved)
        self._count = count
        self._counts = True

    async def fitted(self, make: Callable[[int], Sequence[ChatMessage]]) -> Sequence[ChatMessage]:
        """What `make` makes of a budget of guessed tokens, so that it fits when it is counted."""
        budget = self._counted
        for _ in range(_ATTEMPTS if self._counts else 0):
            messages = make(budget)
            counted = await self._tokens(messages)
            if counted is None:  # nor will it be known for the next call
                self._counts = False
                break
            if counted <= self._counted:
                return messages
            budget = int(budget * self._counted / counted * _SAFE)
        return make(min(budget, self._guessed))

    async def _tokens(self, messages: Sequence[ChatMessage]) -> int | None:
        said = [message.content for message in messages]
        calls = [text for message in messages for call in message.tool_calls for text in (call.name, call.arguments)]
        counted = await self._count("\n".join([*said, *calls]))
        return None if counted is None else counted + PER_MESSAGE * (len(messages) + len(calls) // 2)
