from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.truncation import Message, last_turn, shortened

pytestmark = pytest.mark.unit


def said(role: str, content: str = "x") -> dict[str, Any]:
    return {"role": role, "content": content}


TALK = [
    said("system"),
    said("user", "1"),
    said("assistant"),
    said("user", "2"),
    said("tool"),
    said("assistant"),
    said("user", "3"),
]


def within(most: int) -> Callable[[Sequence[Message]], Sequence[Message] | None]:
    return lambda messages: messages if len(messages) <= most else None


def test_the_oldest_turns_go_and_the_system_stays() -> None:
    found = shortened(TALK, within(6))
    assert found == ([TALK[0], *TALK[3:]], 2)
    assert shortened(TALK, within(2)) == ([TALK[0], TALK[6]], 5)
    assert last_turn(TALK) == [TALK[0], TALK[6]]


def test_a_last_turn_that_does_not_fit_is_not_cut_itself() -> None:
    assert shortened(TALK, within(1)) is None
    assert shortened([said("user")], within(0)) is None


@given(st.lists(st.sampled_from(["user", "assistant", "tool"]), min_size=1, max_size=40), st.integers(1, 40))
def test_as_much_is_kept_as_fits_and_it_begins_with_a_question(roles: list[str], most: int) -> None:
    talk = [said("system"), said("user"), *map(said, roles)]
    found = shortened(talk, within(most))
    if found is not None:
        kept, left_out = found
        assert kept == [talk[0], *talk[1 + left_out :]]
        assert kept[1]["role"] == "user"
        earlier = [at for at in range(2, 1 + left_out) if talk[at]["role"] == "user"]
        assert all(1 + len(talk) - at > most for at in earlier)
