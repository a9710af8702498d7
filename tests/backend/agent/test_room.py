import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.agent.context import budget_of, room_for_prompt
from hearth_backend.agent.room import Room
from hearth_backend.gateway.messages import ChatMessage

pytestmark = pytest.mark.unit


def fill(budget: int) -> list[ChatMessage]:
    return [ChatMessage("user", "word" * max(0, budget - 8))]


@given(window=st.integers(256, 20_000), per_character=st.floats(0.05, 1.2))
async def test_what_is_counted_fits(window: int, per_character: float) -> None:
    async def count(text: str) -> int | None:
        return int(len(text) * per_character) + 1

    messages = await Room(window, count).fitted(fill)
    assert int(sum(len(message.content) for message in messages) * per_character) + 9 <= room_for_prompt(window)


async def test_where_nobody_counts_there_is_a_margin() -> None:
    async def count(text: str) -> int | None:
        return None

    messages = await Room(8192, count, reserved=100).fitted(fill)
    assert len(messages[0].content) // 4 + 8 == budget_of(8192) - 100


async def test_a_language_with_short_tokens_gets_fewer_characters() -> None:
    async def thrice(text: str) -> int | None:
        return len(text) * 3 // 4

    async def plain(text: str) -> int | None:
        return len(text) // 4

    short, long = [await Room(4096, count).fitted(fill) for count in (thrice, plain)]
    assert len(short[0].content) < len(long[0].content) / 2
