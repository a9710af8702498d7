"""What goes to the model in one call of a run, made to fit: old tool results shrink first, old calls leave next. Pure.

A call and its results stay or leave together. The instructions and the person's last words are never touched.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from hearth_backend.gateway.messages import ChatMessage

Cost = Callable[[ChatMessage], int]
READ_AGAIN: Final = "read_again"
_HEAD, _TAIL = 600, 300  # characters that are left of an old result
_SHORT_HEAD, _SHORT_TAIL = 160, 80


def fitted(
    opening: Sequence[ChatMessage], later: Sequence[ChatMessage], budget: int, cost: Cost
) -> tuple[ChatMessage, ...]:
    """The opening (instructions, turns, the question) and the calls since, within `budget` tokens.

    Only when the instructions, the question and the last call, cut as short as it goes, are too long is it exceeded.
    """
    groups = list(_groups(later))
    for head, tail in ((_HEAD, _TAIL), (_SHORT_HEAD, _SHORT_TAIL)):
        for place in range(len(groups)):
            if _total(opening, groups, cost) <= budget:
                return _joined(opening, groups)
            groups[place] = [elided(message, head, tail) for message in groups[place]]
    while len(groups) > 1 and _total(opening, groups, cost) > budget:
        del groups[0]
    kept = list(opening)
    while len(kept) > 2 and _total(kept, groups, cost) > budget:
        del kept[1 : 3 if len(kept) > 3 else 2]
    return _joined(kept, groups)


def elided(message: ChatMessage, head: int = _HEAD, tail: int = _TAIL) -> ChatMessage:
    """A tool's result without its middle, and how to read that again; anything else as it is."""
    if message.role != "tool":
        return message
    return replace(message, content=without_middle(message.content, message.tool_call_id, head, tail))


def without_middle(text: str, id: str, head: int = _HEAD, tail: int = _TAIL) -> str:
    """A long text by its head and tail, and the id under which the rest can be read again."""
    if len(text) <= head + tail + 200:
        return text
    gone = len(text) - head - tail
    handle = f'[{gone} characters left out here; {READ_AGAIN} with id "{id}" shows them]'
    return f"{text[:head]}\n{handle}\n{text[len(text) - tail :]}"


def is_elided(messages: Sequence[ChatMessage]) -> bool:
    """Whether something can be read again."""
    mark = f"characters left out here; {READ_AGAIN} with id"
    return any(message.role in ("tool", "user") and mark in message.content for message in messages)


def _groups(later: Sequence[ChatMessage]) -> Iterator[list[ChatMessage]]:
    """A model's message with the results that answer it."""
    group: list[ChatMessage] = []
    for message in later:
        if message.role == "assistant" and group:
            yield group
            group = []
        group.append(message)
    if group:
        yield group


def _total(opening: Sequence[ChatMessage], groups: Sequence[Sequence[ChatMessage]], cost: Cost) -> int:
    return sum(map(cost, opening)) + sum(cost(message) for group in groups for message in group)


def _joined(opening: Sequence[ChatMessage], groups: Sequence[Sequence[ChatMessage]]) -> tuple[ChatMessage, ...]:
    return (*opening, *(message for group in groups for message in group))
